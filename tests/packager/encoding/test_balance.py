"""Who works when: the dearest first, and what follows as soon as it can."""

from __future__ import annotations

import asyncio

import pytest

from packager.encoding.balance import Job, run_balanced


class _Works:
    """Jobs that note when they begin and wait to be let go."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.cores: dict[str, int | None] = {}
        self.stopped: list[str] = []
        self.ended: list[str] = []
        self._gates: dict[str, asyncio.Event] = {}
        self._changed = asyncio.Condition()

    def job(self, name: str, cost: float, *then: Job) -> Job:
        self._gates[name] = asyncio.Event()

        async def run(core: int | None) -> None:
            async with self._changed:
                self.begun.append(name)
                self.cores[name] = core
                self._changed.notify_all()
            try:
                await self._gates[name].wait()
            except asyncio.CancelledError:
                self.stopped.append(name)
                raise
            self.ended.append(name)

        return Job(cost, run, then=then)

    async def begun_are(self, *names: str) -> None:
        async with asyncio.timeout(60), self._changed:
            await self._changed.wait_for(lambda: len(self.begun) >= len(names))
        assert self.begun == list(names)

    def end(self, name: str) -> None:
        self._gates[name].set()


async def test_dearest_ready_job_comes_next() -> None:
    """One in each slot by cost; what a job makes possible competes with what still waits."""
    works = _Works()
    follow = works.job("follows", 5)
    small = [works.job(name, 1) for name in ("small", "smaller", "smallest")]
    jobs = [*small, works.job("large", 9, follow), works.job("middle", 4)]
    run = asyncio.create_task(run_balanced(jobs, (4, 7)))
    await works.begun_are("large", "middle")
    assert works.ended == [], "no third one beside two that work"
    works.end("large")
    await works.begun_are("large", "middle", "follows")
    assert works.ended == ["large"]
    works.end("middle")
    await works.begun_are("large", "middle", "follows", "small")
    for name in ("follows", "small", "smaller", "smallest"):
        works.end(name)
    async with asyncio.timeout(60):
        await run
    assert sorted(works.ended) == sorted(works.begun)
    assert len(works.ended) == 6
    assert works.stopped == []
    assert [works.cores[name] for name in ("large", "middle", "follows", "small")] == [4, 7, 4, 7]


async def test_the_last_ones_share_the_cores() -> None:
    """As many as there are slots wait: all begin, one in the free slot and the rest beside it."""
    works = _Works()
    jobs = [works.job(name, cost) for name, cost in (("a", 9), ("b", 4), ("c", 3), ("d", 2))]
    run = asyncio.create_task(run_balanced(jobs, (0, 1)))
    await works.begun_are("a", "b")
    works.end("b")
    await works.begun_are("a", "b", "c", "d")
    assert works.ended == ["b"]
    assert works.cores == {"a": 0, "b": 1, "c": 1, "d": None}
    for name in ("a", "c", "d"):
        works.end(name)
    async with asyncio.timeout(60):
        await run
    assert sorted(works.ended) == ["a", "b", "c", "d"]


async def test_first_error_ends_all() -> None:
    """A job that fails stops those beside it, and those that wait never begin."""
    works = _Works()

    async def fail(_core: int | None) -> None:
        await works.begun_are("beside")
        raise OSError("full")

    jobs = [works.job("beside", 9), Job(8, fail), works.job("waits", 1)]
    async with asyncio.timeout(60):
        with pytest.raises(OSError, match="full"):
            await run_balanced(jobs, (None, None))
    assert works.begun == works.stopped == ["beside"]


async def test_cancelling_ends_all() -> None:
    """Ctrl-C leaves no job behind."""
    works = _Works()
    run = asyncio.create_task(run_balanced([works.job("one", 1), works.job("two", 1)], (0, 1)))
    await works.begun_are("one", "two")
    run.cancel()
    async with asyncio.timeout(60):
        await asyncio.wait([run])
    assert run.cancelled()
    assert sorted(works.stopped) == ["one", "two"]
