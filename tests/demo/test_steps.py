"""How a demo ends: by itself, by Ctrl-C, by SIGTERM."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
_ENDED = """
import asyncio, os, signal, sys
from demo.steps import run_demo

async def ended():
    try:
        os.kill(os.getpid(), signal.{name})
        await asyncio.Event().wait()
    finally:
        print("the services are stopped")

sys.exit(run_demo(ended(), proves={proves}))
"""


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
@pytest.mark.parametrize("proves", [False, True])
def test_who_ends_a_demo_is_told_so(name: str, code: int, *, proves: bool) -> None:
    """Its services end first; a proof that was ended has proved nothing."""
    program = _ENDED.format(name=name, proves=proves)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout == "the services are stopped\n\nEverything is stopped.\n"
    assert done.stderr == ""
    assert done.returncode == (code if proves else 0)
