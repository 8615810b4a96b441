"""A part that is missing is told aloud by a person's run, and fails the one of CI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import conftest, skips

ROOT = Path(__file__).parent.parent
TESTS = """
import pytest

def test_raised():
    pytest.skip("no disk")

@pytest.fixture
def server():
    pytest.skip("no server")

def test_in_a_fixture(server):
    pass

def test_of_a_module():
    pytest.importorskip("no_such_module_of_anyone")

@pytest.mark.skipif(True, reason="root may read every file")
def test_that_is_not_for_here():
    pass

@pytest.mark.xfail
def test_that_is_known_to_fail():
    assert False

def test_that_holds():
    pass
"""


@pytest.mark.parametrize(
    ("ci", "said"),
    [
        ({}, "1 passed, 4 skipped, 1 xfailed"),
        ({"CI": "true"}, "2 failed, 1 passed, 1 skipped, 1 xfailed, 1 error"),
    ],
)
def test_a_missing_part_fails_where_ci_is_set(
    tmp_path: Path, ci: dict[str, str], said: str
) -> None:
    """However the skip came about; what is not for this machine stays a skip."""
    file = tmp_path / "test_parts.py"
    file.write_text(TESTS)
    clean = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", str(tmp_path)),
            *("-p", "tests.skips", "-p", "no:cacheprovider", "-q", str(file)),
        ],
        cwd=ROOT,
        env={**clean, **ci},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert said in done.stdout, done.stdout + done.stderr
    # Each is named, with the reason.
    assert ("CI is set, so this must run. Skipped: no disk" in done.stdout) is bool(ci)


def test_the_rule_is_in_force_here() -> None:
    """For every test of the suite, wherever it skips."""
    assert conftest.pytest_runtest_makereport is skips.pytest_runtest_makereport
