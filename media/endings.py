"""How a command ends: with its exit code, whatever a library's threads are at.

obstore's threads hand what they have done to Python. Where Python is being taken down meanwhile it
ends such a thread, which Rust does not allow: the process is aborted (SIGABRT) though all is done.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn


def run_to_the_end(program: Callable[[], object]) -> None:
    """Run *program*, a command line that ends by SystemExit, and end the process with its code."""
    try:
        program()
    except SystemExit as ended:
        if "obstore" not in sys.modules or not isinstance(ended.code, int | None):
            raise
        _leave(ended.code or 0)


def _leave(code: int) -> NoReturn:
    """End at once; what was said is out."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
