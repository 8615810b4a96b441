"""Who works when: the dearest first, and what follows as soon as it can."""

from __future__ import annotations

import asyncio

import pytest

from packager.encoding.balance import Job, run_balanced


class _Works:
    """Jobs that note when they begin and wait to be let go."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.stopped: list[str] = []
        self.ended: list[str] = []
        self._gates: dict[str, asyncio.Event] = {}
        self._changed = asyncio.Condition()

    def job(self, name: str, cost: float, *then: Job) -> Job:
        self._gates[name] = asyncio.Event()

        async def run() -> None:
            async with self._changed:
                self.begun.append(name)
                self._changed.notify_all()
            try:
                await self._gates[name].wait()
            except asyncio.CancelledError:
                self.stopped.append(name)
                raise
            self.ended.append(name)

        return Job(cost, run, then=then)

    async def begun_are(self, *names: str) -> None:
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(lambda: len(self.begun) >= len(names))
        assert self.begun == list(names)

    def end(self, name: str) -> None:
        self._gates[name].set()


async def test_dearest_ready_job_comes_next() -> None:
    """Two at a time by cost; what a job makes possible competes with what still waits."""
    works = _Works()
    follow = works.job("follows", 5)
    jobs = [works.job("small", 1), works.job("large", 9, follow), works.job("middle", 4)]
    run = asyncio.create_task(run_balanced(jobs, 2))
    await works.begun_are("large", "middle")
    assert works.ended == [], "no third one beside two that work"
    works.end("large")
    await works.begun_are("large", "middle", "follows")
    assert works.ended == ["large"]
    works.end("middle")
    await works.begun_are("large", "middle", "follows", "small")
    works.end("follows")
    works.end("small")
    async with asyncio.timeout(5):
        await run
    assert sorted(works.ended) == ["follows", "large", "middle", "small"]
    assert works.stopped == []


async def test_first_error_ends_all() -> None:
    """A job that fails stops those beside it, and those that wait never begin."""
    works = _Works()

    async def fail() -> None:
        await works.begun_are("beside")
        raise OSError("full")

    jobs = [works.job("beside", 9), Job(8, fail), works.job("waits", 1)]
    async with asyncio.timeout(5):
        with pytest.raises(OSError, match="full"):
            await run_balanced(jobs, 2)
    assert works.begun == works.stopped == ["beside"]


async def test_cancelling_ends_all() -> None:
    """Ctrl-C leaves no job behind."""
    works = _Works()
    run = asyncio.create_task(run_balanced([works.job("one", 1), works.job("two", 1)], 2))
    await works.begun_are("one", "two")
    run.cancel()
    async with asyncio.timeout(5):
        await asyncio.wait([run])
    assert run.cancelled()
    assert sorted(works.stopped) == ["one", "two"]
