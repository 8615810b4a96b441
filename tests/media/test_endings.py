"""A command ends with its code, though a library's threads still run."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import atexit, sys
from media.endings import run_to_the_end
if {bucket}:
    import obstore
atexit.register(print, "Python was taken down")
print("said", end="")
run_to_the_end(lambda: sys.exit({code!r}))
"""


@pytest.mark.parametrize("bucket", [True, False])
@pytest.mark.parametrize(("code", "expected"), [(7, 7), (None, 0), ("a sentence", 1)])
def test_the_code_is_the_programs(bucket: bool, code: object, expected: int) -> None:
    """With obstore loaded nothing comes between its last word and its end."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(bucket=bucket, code=code)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expected
    at_once = bucket and not isinstance(code, str)
    assert done.stdout == ("said" if at_once else "saidPython was taken down\n")
