"""Which processors the work may use, and how the kernel is to run what we start."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def cores() -> tuple[int, ...]:
    """Numbers of the processors that this process may use: in a container fewer than there are."""
    try:
        return tuple(sorted(os.sched_getaffinity(0)))
    except AttributeError:  # not on macOS
        return tuple(range(os.cpu_count() or 1))


def slots(processes: int = 0) -> tuple[int | None, ...]:
    """One place for each of *processes* that run at a time, 0 for as many as there are cores.

    Each has a core of its own where they fill the machine; where they do not, others may be at
    work on it, and the kernel knows best.
    """
    own = cores()
    return own if processes in (0, len(own)) else (None,) * processes


def schedule(pid: int, core: int | None = None) -> None:
    """Run the process *pid* as work that nobody waits at, on *core* alone where one is given.

    ffmpeg hands every packet from thread to thread. As batch work a thread that has become ready
    does not push the running one aside, and on one processor it is not woken on another: a tenth of
    what encoding costs, and a third of decoding (docs/encoders.md).
    """
    # The first thread first: those that it starts from then on are born so.
    for thread in (pid, *_threads(pid)):
        # Not Linux, forbidden by a sandbox, or ended already: it is only slower.
        with contextlib.suppress(AttributeError, OSError):
            os.sched_setscheduler(thread, os.SCHED_BATCH, os.sched_param(0))
        if core is not None:
            with contextlib.suppress(AttributeError, OSError):
                os.sched_setaffinity(thread, {core})


def _threads(pid: int) -> list[int]:
    """Its threads, as Linux numbers them; none where they cannot be told."""
    try:
        return [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []
