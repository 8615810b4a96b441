"""Where the children run: on the processors that are ours."""

from __future__ import annotations

import os
from pathlib import Path

from packager.cores import cores, schedule, slots
from packager.ffmpeg import Run


def test_each_core_is_a_slot() -> None:
    """As many slots as this process may use cores, each one's own; other numbers leave it open."""
    assert slots() == slots(len(cores())) == tuple(sorted(os.sched_getaffinity(0)))
    more = len(cores()) + 1
    assert slots(more) == (None,) * more


async def test_all_threads_of_a_child_stay_on_its_core() -> None:
    """The child is batch work on that core alone, and we are where and what we were."""
    before = os.sched_getscheduler(0), os.sched_getaffinity(0)
    core = cores()[-1]
    async with Run("master.wav", ["cat", "/dev/zero"], core=core) as run:
        threads = [int(task.name) for task in Path(f"/proc/{run.pid}/task").iterdir()]
        assert [os.sched_getaffinity(thread) for thread in threads] == [{core}] * len(threads)
        assert {os.sched_getscheduler(thread) for thread in threads} == {os.SCHED_BATCH}
    assert (os.sched_getscheduler(0), os.sched_getaffinity(0)) == before


def test_a_child_that_has_ended_is_left_alone() -> None:
    """It may have ended before it could be told."""
    child = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(child, 0)
    schedule(child, cores()[0])
