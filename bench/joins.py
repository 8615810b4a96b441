"""`make bench-joins`: how many listeners can join in a second, and how long each waits for it.

A join is all that a player asks before its first sound: the grant, the Multivariant Playlist, a
Media Playlist, the init segment and the segment of the moment, on a new connection, by a phone that
has not asked Tell for anything since its start. First phones join without a pause: joins for each
second of the server's processor time are what one core can do. They do so in turns at Tell as it
runs, which has read the evening's tickets; at one that has not, so that each is looked up; and at
the same answers by aiohttp alone (join_peer.py), which tells how fast the machine is today. Then
they arrive by chance (an open loop) at 70 % of what Tell can do: at 19:30 nobody waits for others.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiofiles

from bench.evening import Evening, Listener, make_evening
from bench.figures import Bar, Chart, hand_over, quick, rounded
from bench.processes import cpu_s, port_of
from demo.services import Service, program, start_service

TICKETS = 40_000
ROUNDS = 5
ROUND_S = 3.0
OPEN_ROUNDS = 3
OPEN_S = 8.0
LOAD = 0.7
NEEDED = 500.0
NEEDED_P99_MS = 250.0
PHONES = 16
_READ_AHEAD_S = 60.0
_LOOK_AGAIN_S = 0.1


@dataclass
class Side:
    """A server, and the joins for each second of its processor time, one a round."""

    server: Service
    rates: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """The median."""
        return statistics.median(self.rates)

    async def round(self, seconds: float, turn: Sequence[Listener]) -> None:
        """Have the listeners join who have their turn."""
        before_s = cpu_s(self.server.process.pid)
        result = await crowd(self.server, seconds, "closed", PHONES, turn)
        if result["joined"] > len(turn):
            raise AssertionError("some joined twice: make more tickets")
        self.rates.append(result["joined"] / (cpu_s(self.server.process.pid) - before_s))


async def main(
    tickets: int = TICKETS, rounds: int = ROUNDS, round_s: float = ROUND_S, open_s: float = OPEN_S
) -> int:
    """Print both figures; the exit code is 1 where one is not reached."""
    async with AsyncExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="tell-bench-", dir="."))
        folder = await asyncio.to_thread(Path(name).absolute)
        evening = await make_evening(folder, tickets)
        command = [program("tell"), "serve", "--port", "0"]
        # Nobody's ticket makes way: a chain gives a process what its evening needs.
        ready = evening.environ | {"TELL_DELIVERY__KEPT_TICKETS": str(tickets)}
        tell = await start_service("Tell", command, folder / "tell.log", ready)
        stack.push_async_callback(tell.stop)
        await has_read_ahead(tell)
        unread = ready | {"TELL_DELIVERY__READ_AHEAD_H": "0"}
        cold = await start_service("Tell, unread", command, folder / "cold.log", unread)
        stack.push_async_callback(cold.stop)
        keys = folder / "secrets" / "signing.keys"
        peer = await start_service(
            "aiohttp",
            [sys.executable, "-m", "bench.join_peer", str(keys), str(evening.file.parent)],
            folder / "peer.log",
        )
        stack.push_async_callback(peer.stop)
        sides = Side(tell), Side(cold), Side(peer)
        return await _measure(sides, evening, rounds, round_s, open_s)


async def has_read_ahead(tell: Service) -> None:
    """Return when a Tell says that it has, in the file that its log is."""
    async with asyncio.timeout(_READ_AHEAD_S):
        async with aiofiles.open(tell.log) as log:
            line = ""
            while "tickets_read_ahead" not in line:
                # Whole lines: the log is written by them.
                line = await log.readline() or await asyncio.sleep(_LOOK_AGAIN_S, "")


async def _measure(
    sides: tuple[Side, Side, Side], evening: Evening, rounds: int, round_s: float, open_s: float
) -> int:
    tell, cold, peer = sides
    share = len(evening.listeners) // (rounds + OPEN_ROUNDS + 1)
    turns = [
        evening.listeners[i * share : (i + 1) * share] for i in range(rounds + OPEN_ROUNDS + 1)
    ]
    for side in sides:
        await side.round(min(1.0, round_s), turns[0])
        side.rates.clear()
    for turn in turns[1 : rounds + 1]:
        for side in sides:
            await side.round(round_s, turn)
    wanted = LOAD * tell.rate
    before_s = cpu_s(tell.server.process.pid)
    crowds = [
        await crowd(tell.server, open_s, "open", wanted, turn) for turn in turns[rounds + 1 :]
    ]
    used = (cpu_s(tell.server.process.pid) - before_s) / sum(each["elapsed_s"] for each in crowds)
    p50_ms, p99_ms = (
        statistics.median(each[name] for each in crowds) for name in ("p50_ms", "p99_ms")
    )
    print(
        f"joins (grant, two playlists, init and first segment), medians of {rounds} alternated "
        f"rounds of {round_s:g} s:"
    )
    names = ("Tell", "Tell, tickets not read ahead", "aiohttp alone")
    for name, side in zip(names, sides, strict=True):
        each = ", ".join(f"{rate:.0f}" for rate in side.rates)
        print(f"  {name:29}{side.rate:5.0f} joins a CPU-second   ({each})")
    print(f"  at least {NEEDED:g} are needed; {tell.rate / peer.rate:.2f} of aiohttp's")
    each = ", ".join(f"{each['p99_ms']:.0f}" for each in crowds)
    print(
        f"  open loop at {wanted:.0f} joins a second, medians of {OPEN_ROUNDS} rounds of "
        f"{open_s:g} s: p50 {p50_ms:.1f} ms, p99 {p99_ms:.1f} ms ({each}; below "
        f"{NEEDED_P99_MS:g} is needed), {sum(each['joined'] for each in crowds)} joined, "
        f"{used:.0%} of a core"
    )
    return hand_over(
        Chart(
            title="Joins for each second of a processor",
            command="make bench-joins",
            bars=[
                Bar(name="Tell", value=rounded(tell.rate), at_least=NEEDED),
                Bar(name="Tell, tickets not read ahead", value=rounded(cold.rate)),
                Bar(name="aiohttp alone, no database", value=rounded(peer.rate), peer=True),
                Bar(name="wanted", value=NEEDED, peer=True),
            ],
        ),
        Chart(
            title="Milliseconds of a join, in an open loop at 70 % of that",
            command="make bench-joins",
            bars=[
                Bar(name="p50", value=rounded(p50_ms)),
                Bar(name="p99", value=rounded(p99_ms), at_most=NEEDED_P99_MS),
            ],
            drawn=False,
        ),
    )


async def crowd(
    tell: Service, seconds: float, mode: str, number: float, turn: Sequence[Listener]
) -> dict[str, Any]:
    """Have phones join, by bench/join_load.py in a process of its own; gives what it prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.join_load", str(port_of(tell.url))),
        *(str(seconds), mode, str(number)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    pairs = [[each.correlation_id, each.listener_token] for each in turn]
    out, _ = await process.communicate(json.dumps(pairs).encode())
    if process.returncode:
        raise AssertionError("the phones failed")
    result: dict[str, Any] = json.loads(out)
    if result["wrong"]:
        raise AssertionError(f"{result['wrong']}")
    return result


if __name__ == "__main__":
    sys.exit(asyncio.run(main(1_500, 2, 0.3, 1.0) if quick() else main()))
