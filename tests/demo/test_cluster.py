"""`make demo-cluster CHECK=1` on a machine that lacks what it starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    ("options", "ci", "code", "word"),
    [
        (["--check"], {}, 0, "SKIPPED"),
        (["--check"], {"CI": "true"}, 1, "FAILED"),
        ([], {}, 1, "FAILED"),
    ],
)
def test_what_is_missing_is_said(
    tmp_path: Path, options: list[str], ci: dict[str, str], code: int, word: str
) -> None:
    """The proof is skipped aloud, and fails where CI is set; who only wants to see it is told."""
    clean = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [sys.executable, "-m", "demo.cluster", "--folder", str(tmp_path), *options],
        cwd=ROOT,
        env={**clean, **ci, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith(f"{word}: ")
    assert "mariadb-server-core" in done.stderr
    assert "redis-server" in done.stderr
    assert list(tmp_path.iterdir()) == []
