"""`make bench-workers`: segments a second with one worker on one processor and two on two.

The same film and tickets as bench/ranges.py. A side has as many processors as workers, and as many
clients, which are held to its processors too: what is asked is whether twice the machine answers
twice as much, and clients that had processors of their own on one side alone would answer for it.
Rounds alternate. Segments a CPU-second of all of Tell's processes stand beside it. Linux alone lets
a process be held to a processor (sched_setaffinity(2)).
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.evening import RENDITION, Evening, make_evening
from bench.figures import Bar, Chart, hand_over, quick, rounded
from bench.processes import cpu_s, port_of
from bench.ranges import run_load
from demo.services import program, start_service

TICKETS = 500
# Of each client.
CONNECTIONS = 32
ROUNDS = 5
ROUND_S = 3.0
_ASKED_BY_CONNECTION = 400


@dataclass
class Side:
    """Tell with some workers; its figures, one a round."""

    workers: int
    port: int
    pid: int
    by_second: list[float] = field(default_factory=list)
    by_cpu_second: list[float] = field(default_factory=list)
    p99s_ms: list[float] = field(default_factory=list)


async def main(rounds: int = ROUNDS, round_s: float = ROUND_S) -> int:
    """Print both; the exit code is 1 where there are not two processors."""
    if len(os.sched_getaffinity(0)) < 2:
        print("two processors are needed to compare one with two", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="tell-bench-", dir=".") as name:
        folder = await asyncio.to_thread(Path(name).absolute)
        evening = await make_evening(folder, TICKETS)
        async with AsyncExitStack() as stack:
            sides = []
            for workers in (1, 2):
                command = [program("tell"), "serve", "--port", "0", "--workers", str(workers)]
                log = folder / f"tell-{workers}.log"
                with held_to(workers):
                    tell = await start_service("Tell", command, log, evening.environ)
                stack.push_async_callback(tell.stop)
                sides.append(Side(workers, port_of(tell.url), tell.process.pid))
            requests = _requests(evening)
            # The first round of each meets every ticket, and counts for nothing.
            for number in range(rounds + 1):
                for side in sides:
                    await _round(side, requests, round_s, counted=number > 0)
    return _report(sides, rounds, round_s)


@contextmanager
def held_to(processors: int) -> Iterator[None]:
    """What is started meanwhile runs on so many processors, for good (sched_setaffinity(2))."""
    every = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(every)[:processors])
    try:
        yield
    finally:
        os.sched_setaffinity(0, every)


def _requests(evening: Evening) -> list[list[str]]:
    """What each connection asks for, in turn."""
    chance = random.Random(5)  # noqa: S311  (the same requests each time)
    segments = evening.track.renditions[0].segments
    lists = []
    for connection in range(2 * CONNECTIONS):
        path = f"/stream/{evening.listeners[connection].stream_token}/{RENDITION}.mp4"
        asked = []
        for _ in range(_ASKED_BY_CONNECTION):
            piece = chance.choice(segments)
            last = piece.offset + piece.size - 1
            head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            asked.append(f"{head}Range: bytes={piece.offset}-{last}\r\n\r\n")
        lists.append(asked)
    return lists


async def _round(side: Side, requests: list[list[str]], round_s: float, *, counted: bool) -> None:
    before_s = cpu_s(side.pid)
    lists = [requests[n * CONNECTIONS : (n + 1) * CONNECTIONS] for n in range(side.workers)]
    with held_to(side.workers):
        results = await asyncio.gather(
            *(run_load(side.port, CONNECTIONS, round_s, mine) for mine in lists)
        )
    used_s = cpu_s(side.pid) - before_s
    for result in results:
        if result["wrong"]:
            raise AssertionError(f"{side.workers} workers: {result['wrong']}")
    answered = sum(result["answered"] for result in results)
    if counted:
        # The clients' own clock: what they need to start does not count.
        elapsed_s = max(result["elapsed_s"] for result in results)
        side.by_second.append(answered / elapsed_s)
        side.by_cpu_second.append(answered / used_s)
        side.p99s_ms.append(max(result["p99_ms"] for result in results))


def _report(sides: list[Side], rounds: int, round_s: float) -> int:
    print(
        f"segments of 48 kB; a worker, a client of {CONNECTIONS} connections and a processor each, "
        f"medians of {rounds} alternated rounds of {round_s:g} s:"
    )
    for side in sides:
        print(
            f"  {side.workers} worker{'s' if side.workers > 1 else ' '} "
            f"{statistics.median(side.by_second):7.0f} a second "
            f"{statistics.median(side.by_cpu_second):7.0f} a CPU-second   "
            f"p99 {statistics.median(side.p99s_ms):6.1f} ms"
        )
    one, two = (statistics.median(side.by_second) for side in sides)
    print(f"  two answer {two / one:.2f} times as much as one")
    return hand_over(
        Chart(
            title="Segments a second from workers and their clients, a processor for each worker",
            command="make bench-workers",
            bars=[
                Bar(name="one worker", value=rounded(one)),
                Bar(name="two workers", value=rounded(two)),
            ],
        )
    )


if __name__ == "__main__":
    sys.exit(asyncio.run(main(1, 0.5) if quick() else main()))
