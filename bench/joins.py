"""`make bench-joins`: how many listeners can join in a second, and how long each waits for it.

A join is all that a player asks before its first sound: the grant, the Multivariant Playlist, a
Media Playlist, the init segment and the segment of the moment, on a new connection, by a phone
whose ticket Tell has not seen since its start. First phones join without a pause: joins for each
second of the server's processor time are what one core can do. Then they arrive by chance (an open
loop) at 70 % of that: at 19:30 nobody waits for the others.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.evening import Evening, Listener, make_evening
from bench.figures import Bar, Chart, hand_over, quick, rounded
from bench.processes import cpu_s, port_of
from demo.services import Service, program, start_service

TICKETS = 30_000
ROUNDS = 3
ROUND_S = 4.0
OPEN_S = 15.0
LOAD = 0.7
NEEDED = 500.0
NEEDED_P99_MS = 250.0
PHONES = 16


async def main(tickets: int = TICKETS, round_s: float = ROUND_S, open_s: float = OPEN_S) -> int:
    """Print both figures; the exit code is 1 where one is not reached."""
    with tempfile.TemporaryDirectory(prefix="tell-bench-", dir=".") as name:
        folder = await asyncio.to_thread(Path(name).absolute)
        evening = await make_evening(folder, tickets)
        command = [program("tell"), "serve", "--port", "0"]
        tell = await start_service("Tell", command, folder / "tell.log", evening.environ)
        try:
            return await _measure(tell, evening, round_s, open_s)
        finally:
            await tell.stop()


async def _measure(tell: Service, evening: Evening, round_s: float, open_s: float) -> int:
    share = len(evening.listeners) // (ROUNDS + 2)
    turns = [evening.listeners[i * share : (i + 1) * share] for i in range(ROUNDS + 2)]
    await crowd(tell, 1.0, "closed", PHONES, turns[0])
    rates = []
    for turn in turns[1:-1]:
        before_s = cpu_s(tell.process.pid)
        result = await crowd(tell, round_s, "closed", PHONES, turn)
        rates.append(result["joined"] / (cpu_s(tell.process.pid) - before_s))
    capacity = statistics.median(rates)
    wanted = LOAD * capacity
    before_s = cpu_s(tell.process.pid)
    result = await crowd(tell, open_s, "open", wanted, turns[-1])
    used = (cpu_s(tell.process.pid) - before_s) / result["elapsed_s"]
    print(
        f"joins (grant, two playlists, init and first segment), {ROUNDS} rounds of {round_s:g} s:"
    )
    print(
        f"  {capacity:.0f} joins a CPU-second ({', '.join(f'{rate:.0f}' for rate in rates)}; "
        f"at least {NEEDED:g} is needed)"
    )
    print(
        f"  open loop at {wanted:.0f} joins a second for {open_s:g} s: p50 "
        f"{result['p50_ms']:.1f} ms, p99 {result['p99_ms']:.1f} ms (below {NEEDED_P99_MS:g} is "
        f"needed), {result['joined']} joined, {used:.0%} of a core"
    )
    return hand_over(
        Chart(
            title="Joins for each second of a processor",
            command="make bench-joins",
            bars=[
                Bar(name="Tell", value=rounded(capacity), at_least=NEEDED),
                Bar(name="wanted", value=NEEDED, peer=True),
            ],
        ),
        Chart(
            title="Milliseconds of a join, in an open loop at 70 % of that",
            command="make bench-joins",
            bars=[
                Bar(name="p50", value=rounded(result["p50_ms"])),
                Bar(name="p99", value=rounded(result["p99_ms"]), at_most=NEEDED_P99_MS),
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
    sys.exit(asyncio.run(main(1_000, 0.3, 1.0) if quick() else main()))
