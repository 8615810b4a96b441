"""`make bench-modes`: joins a CPU-second, start and memory in each way in which Tell can be run.

The first side is one process with SQLite and a folder; each of the others has one part in the place
of that which a house with several machines has: Redis for limits, an S3 server behind the cache on
the disk, MariaDB; the last one has all three. Their rounds alternate, with the same tickets, which
each side has read ahead and nobody has asked for. Only Tell's own processor time counts, not that
of the parts.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.evening import Evening, Listener, make_evening
from bench.figures import Bar, Chart, hand_over, quick, rounded
from bench.joins import PHONES, crowd, has_read_ahead
from bench.processes import cpu_s
from bench.tree import resident_bytes
from demo.services import Service, program, start_service
from demo.services.mariadb import running_mariadb
from demo.services.redis import running_redis
from demo.services.s3 import S3Server, s3_server

ROUNDS = 3
ROUND_S = 3.0
TICKETS = 12_000
_BUCKET = "bench"


@dataclass
class Side:
    """A way to run Tell; its figures, one a round."""

    name: str
    tell: Service
    started_s: float
    rates: list[float] = field(default_factory=list)
    p99s_ms: list[float] = field(default_factory=list)


async def main(rounds: int = ROUNDS, round_s: float = ROUND_S, tickets: int = TICKETS) -> int:
    """Print the table."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tell-", dir=".")))
        folder = await asyncio.to_thread(folder.absolute)
        mariadb = stack.enter_context(running_mariadb())
        redis = stack.enter_context(running_redis())
        s3 = stack.enter_context(s3_server(folder / "s3"))
        database = await mariadb.fresh_database("tell")
        evening = await make_evening(folder, tickets, [database])
        await _fill(s3, folder / "media")
        by_redis = {"TELL_LIMITS__REDIS_URL": redis.url, "TELL_ENRICHMENT__CACHE_URL": redis.url}
        by_s3 = s3.environ(
            TELL_MEDIA__ROOT=f"s3://{_BUCKET}/films", TELL_MEDIA__CACHE__DIR=str(folder / "cache")
        )
        by_mariadb = {"TELL_DATABASE__URL": database}
        ways: dict[str, Mapping[str, str]] = {
            "SQLite, a folder": {},
            "... limits in Redis": by_redis,
            "... S3 and its cache": by_s3,
            "... MariaDB": by_mariadb,
            "Redis, S3 and MariaDB": {**by_redis, **by_s3, **by_mariadb},
        }
        sides = [await _start(stack, folder, evening, name, way) for name, way in ways.items()]
        share = tickets // (rounds + 1)
        # The first round of each meets the track, and counts for nothing.
        for number in range(rounds + 1):
            turn = evening.listeners[number * share : (number + 1) * share]
            for side in sides:
                await _round(side, turn, round_s, counted=number > 0)
        return _report(sides, rounds, round_s)


async def _start(
    stack: AsyncExitStack, folder: Path, evening: Evening, name: str, way: Mapping[str, str]
) -> Side:
    command = [program("tell"), "serve", "--port", "0"]
    log = folder / f"tell-{len(name)}.log"
    began = time.perf_counter()
    tell = await start_service("Tell", command, log, {**evening.environ, **way})
    stack.push_async_callback(tell.stop)
    side = Side(name, tell, time.perf_counter() - began)
    await has_read_ahead(tell)
    return side


async def _fill(s3: S3Server, root: Path) -> None:
    storage = s3.storage(_BUCKET)
    for path in await asyncio.to_thread(lambda: sorted(root.rglob("*"))):
        if path.is_file():
            await storage.put_file(str(path.relative_to(root)), path)


async def _round(side: Side, turn: Sequence[Listener], round_s: float, *, counted: bool) -> None:
    pid = side.tell.process.pid
    before_s = cpu_s(pid)
    result = await crowd(side.tell, round_s, "closed", PHONES, turn)
    if counted:
        side.rates.append(result["joined"] / (cpu_s(pid) - before_s))
        side.p99s_ms.append(result["p99_ms"])


def _report(sides: Sequence[Side], rounds: int, round_s: float) -> int:
    print(
        f"joins (grant, two playlists, init and first segment) of {PHONES} phones, "
        f"medians of {rounds} alternated rounds of {round_s:g} s:"
    )
    for side in sides:
        print(
            f"  {side.name:<22} {statistics.median(side.rates):6.0f} a CPU-second   "
            f"p99 {statistics.median(side.p99s_ms):6.1f} ms   "
            f"listens {side.started_s:.2f} s after its start   "
            f"{resident_bytes(side.tell.process.pid) / 1e6:.0f} MB"
        )
    return hand_over(
        Chart(
            title="Joins for each second of a processor, with the parts of a large house",
            command="make bench-modes",
            bars=[
                Bar(name=side.name, value=rounded(statistics.median(side.rates))) for side in sides
            ],
            drawn=False,
        )
    )


if __name__ == "__main__":
    sys.exit(asyncio.run(main(1, 0.3, 1_000) if quick() else main()))
