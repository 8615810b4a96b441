"""Keeping all cores busy to the end: the longest work first, and what follows from it as it comes.

Six renditions on two cores end unevenly if they are begun as they come: the last one could be a
long one, encoded alone. Longest first leaves the short ones to fill the end (Graham's rule: never
over 4/3 of the best possible; docs/encoders.md has the figures).
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

    *then* are the jobs that can begin once it is done.
    """

    cost: float
    run: Callable[[], Awaitable[None]]
    then: tuple[Job, ...] = field(default=())


async def run_balanced(jobs: Sequence[Job], processes: int) -> None:
    """Run *jobs* and what follows from them, *processes* at a time, the dearest ready one first.

    The first error ends the others; it is raised when all of them have ended.
    """
    order = itertools.count()
    ready = [(-job.cost, next(order), job) for job in jobs]
    heapq.heapify(ready)
    running: dict[asyncio.Task[None], Job] = {}

    async def run(job: Job) -> None:
        await job.run()

    try:
        while ready or running:
            while ready and len(running) < processes:
                job = heapq.heappop(ready)[-1]
                running[asyncio.create_task(run(job))] = job
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                job = running.pop(task)
                task.result()
                for following in job.then:
                    heapq.heappush(ready, (-following.cost, next(order), following))
    finally:
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
