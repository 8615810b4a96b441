"""Keeping all cores busy to the end: the longest work first, and what follows from it as it comes.

Six renditions on two cores end unevenly if they are begun as they come: the last one could be a
long one, encoded alone. Longest first leaves the short ones to fill the end (Graham's rule: never
over 4/3 of the best possible), and the last ones share what is left of the cores
(docs/encoders.md has the figures).
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Job:
    """Work for one core. *cost* is what it takes, in any unit that all jobs share.

    *run* is told the core that is its own, None where it shares. *then* are the jobs that can begin
    once it is done.
    """

    cost: float
    run: Callable[[int | None], Awaitable[None]]
    then: tuple[Job, ...] = field(default=())


async def run_balanced(jobs: Sequence[Job], slots: Sequence[int | None]) -> None:
    """Run *jobs* and what follows from them, one in each of *slots*, the dearest ready one first.

    A slot is a core of its own, or None where the kernel is to choose. Where a slot becomes free
    and no more jobs wait than there are slots, all of them begin, the others beside those that run:
    the kernel shares the cores fairly, and none is idle while the last job works alone.

    The first error ends the others; it is raised when all of them have ended.
    """
    order = itertools.count()
    ready = [(-job.cost, next(order), job) for job in jobs]
    heapq.heapify(ready)
    free = list(slots)
    running: dict[asyncio.Future[None], _Place] = {}

    def begin(core: int | None, returned: tuple[int | None, ...] = ()) -> None:
        job = heapq.heappop(ready)[-1]
        running[asyncio.ensure_future(job.run(core))] = _Place(job, returned)

    def fill() -> None:
        while ready and free:
            slot = free.pop(0)
            begin(slot, (slot,))

    try:
        fill()
        while running:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            places = [running.pop(task) for task in done]
            for place in places:
                free += place.returned
                for following in place.job.then:
                    heapq.heappush(ready, (-following.cost, next(order), following))
            if errors := [error for task in done if (error := task.exception())]:
                raise errors[0]
            last_ones = bool(free) and len(ready) <= len(slots)
            fill()
            while ready and last_ones:
                begin(None)
    finally:
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)


@dataclass(frozen=True, slots=True)
class _Place:
    """A job that runs, and the slot that its end gives back: none where it runs beside others."""

    job: Job
    returned: tuple[int | None, ...]
