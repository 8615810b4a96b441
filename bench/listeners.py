"""`make bench-listeners`: listeners held at their segment schedule, and what each of them costs.

2,000 listeners (`LISTENERS=10000`) with a ticket and a connection each ask for a segment of 48 kB
every 5.76 s, at instants that are spread evenly, for a minute: nobody's answer may be late by more
than a segment. Then the same from nginx with signed links. With `--slow 2000` there are 200
listeners instead, first alone and then beside so many readers that ask for a whole track and take a
byte a second.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.evening import RENDITION, make_evening
from bench.figures import Bar, Chart, hand_over, rounded
from bench.nginx import running_peer
from bench.processes import cpu_s, port_of
from bench.tree import resident_bytes
from demo.services import program, start_service
from gateway.delivery.room import raise_descriptors

LISTENERS = 2_000
SECONDS = 60.0
HONEST = 200
SLOW_S = 30.0
# So many join in a second before the figures begin, and all of them within this time at least.
_JOIN_A_SECOND = 250.0
_RAMP_S = 6.0
_LOOK_S = 0.5
# What a listener and a server need beside the connections.
_OTHERS = 500


@dataclass(frozen=True, slots=True)
class Held:
    """What one server did with its listeners, among so many connections."""

    name: str
    listeners: int
    connections: int
    result: dict[str, Any]
    before_bytes: int
    peak_bytes: int
    server_s: float
    elapsed_s: float

    @property
    def row(self) -> str:
        """Its line of the table."""
        result = self.result
        grown = self.peak_bytes - self.before_bytes
        return (
            f"| {self.name} | {result['answered']:,} of {result['asked']:,} | {result['late']} "
            f"| {result['p50_ms'] or 0:.1f} / {result['p99_ms'] or 0:.1f} / "
            f"{result['max_ms'] or 0:.0f} ms "
            f"| {self.before_bytes / 1e6:.0f} / {self.peak_bytes / 1e6:.0f} MB "
            f"| {grown / self.connections / 1000:.1f} kB | {self.server_s:.1f} s "
            f"({self.server_s / self.elapsed_s:.0%} of a core) |"
        )


HEADING = (
    "| | answered | late by more than a segment | answer after its instant, p50 / p99 / max "
    "| resident before / at most | for each connection | processor time |\n"
    "|---|---|---|---|---|---|---|"
)


async def main(listeners: int, seconds: float, slow: int) -> int:
    """Print the table; the exit code is 1 where somebody's sound would have stopped."""
    descriptors = raise_descriptors()
    most = listeners + slow + _OTHERS
    if descriptors < most:
        print(f"{most} file descriptors are needed and {descriptors} may be had (ulimit -Hn)")
        return 1
    with tempfile.TemporaryDirectory(prefix="tell-bench-", dir=".") as name:
        folder = await asyncio.to_thread(Path(name).absolute)
        evening = await make_evening(folder, listeners + slow)
        paths = [f"/stream/{each.stream_token}/{RENDITION}.mp4" for each in evening.listeners]
        command = [program("tell"), "serve", "--port", "0"]
        tell = await start_service("Tell", command, folder / "tell.log", evening.environ)
        try:
            pid, port = tell.process.pid, port_of(tell.url)
            if slow:
                return await _beside_slow(pid, port, paths, listeners, seconds)
            held = [await _hold("Tell", pid, port, paths, seconds)]
        finally:
            await tell.stop()
        async with running_peer(folder, evening.file.parent) as nginx:
            signed = [
                nginx.path(each.correlation_id, f"{RENDITION}.mp4") for each in evening.listeners
            ]
            peer = "nginx with secure_link, one worker"
            held.append(await _hold(peer, nginx.pid, nginx.port, signed, seconds))
    _report(held, descriptors)
    more = "" if listeners == LISTENERS else f" LISTENERS={listeners}"
    return hand_over(*_charts(held, f"make bench-listeners{more}"))


async def _beside_slow(
    pid: int, port: int, paths: Sequence[str], honest: int, seconds: float
) -> int:
    """The same listeners alone, and beside those who take nothing."""
    readers = len(paths) - honest
    alone = await _hold("listeners alone", pid, port, paths[:honest], seconds)
    # Those read for as long as the listeners need to come and to be measured.
    slow_s = seconds + _ramp_s(honest) + 5.0
    before = await asyncio.to_thread(resident_bytes, pid)
    async with _load("slow", port, slow_s, 0.0, paths[honest:]) as slow:
        name = f"beside {readers:,} slow readers"
        beside = await _hold(name, pid, port, paths[:honest], seconds, readers)
        cut = json.loads(await _last_line(slow))
    _report([alone, beside], 0)
    grown = beside.peak_bytes - before
    print(
        f"the slow readers: {cut['readers'] - cut['cut']} of {cut['readers']} still stood after "
        f"{slow_s:.0f} s, and took {grown / readers / 1000:.0f} kB each at most"
    )
    return hand_over(*_charts([alone, beside], f"make bench-listeners SLOW={readers}"))


async def _hold(
    name: str, pid: int, port: int, paths: Sequence[str], seconds: float, others: int = 0
) -> Held:
    before = await asyncio.to_thread(resident_bytes, pid)
    async with _load("hold", port, seconds, _ramp_s(len(paths)), paths) as load:
        used_s, began = cpu_s(pid), asyncio.get_running_loop().time()
        peak, ending = before, asyncio.create_task(_last_line(load))
        while not ending.done():
            peak = max(peak, await asyncio.to_thread(resident_bytes, pid))
            await asyncio.wait([ending], timeout=_LOOK_S)
        used_s = cpu_s(pid) - used_s
        elapsed_s = asyncio.get_running_loop().time() - began
    result = json.loads(ending.result())
    listeners = len(paths)
    return Held(name, listeners, listeners + others, result, before, peak, used_s, elapsed_s)


def _ramp_s(listeners: int) -> float:
    return max(_RAMP_S, listeners / _JOIN_A_SECOND)


@contextlib.asynccontextmanager
async def _load(mode: str, port: int, seconds: float, ramp_s: float, paths: Sequence[str]) -> Any:
    """Run bench/listener_load.py; it is ready when the block begins."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.listener_load", mode, str(port), str(seconds), str(ramp_s)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(list(paths)).encode())
        process.stdin.close()
        async with asyncio.timeout(ramp_s + 60.0):
            line = await process.stdout.readline()
        if line != b"ready\n":
            raise AssertionError("the listeners failed")
        yield process
    finally:
        if not process.stdout.at_eof():
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()


async def _last_line(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    out = await process.stdout.read()
    if not out:
        raise AssertionError("the listeners failed")
    return out


def _report(held: Sequence[Held], descriptors: int) -> None:
    first = held[0]
    print(
        f"{first.listeners:,} listeners, a segment of 48 kB each every 5.76 s, "
        f"{first.elapsed_s:.0f} s, load of the machine {os.getloadavg()[0]:.1f}:\n\n{HEADING}"
    )
    for each in held:
        print(each.row)
    print()
    for each in held:
        result = each.result
        print(
            f"{each.name}: the load client used {result['used']:.0%} of a core and asked "
            f"{result['behind_p99_ms']:.1f} ms after the instant (p99)"
        )
        if result["lost"]:
            print(f"  {result['lost']} connections were lost: {result['wrong']}")
    if descriptors:
        shares = {
            "processor": first.server_s / first.elapsed_s,
            "file descriptors": first.listeners / descriptors,
            "memory": first.peak_bytes / _memory_bytes(),
        }
        told = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
        print(f"of what one process of Tell can have: {told}")
        print(f"so what gives way first is: {max(shares, key=lambda name: shares[name])}")


def _charts(held: Sequence[Held], command: str) -> list[Chart]:
    """Their figures; those of nginx are a peer's, and nobody's sound may stop at Tell."""

    def bars(key: str, at_most: float | None = None) -> list[Bar]:
        found = []
        for each in held:
            peer = each.name.startswith("nginx")
            value = rounded(each.result[key] or 0)
            wanted = None if peer else at_most
            found.append(Bar(name=each.name, value=value, peer=peer, at_most=wanted))
        return found

    who = f"{held[0].listeners:,} listeners at their schedule"
    return [
        Chart(title=f"{who}: {what}", command=command, bars=bars(key, at_most), drawn=False)
        for what, key, at_most in (
            ("late by more than a segment", "late", 0.0),
            ("connections lost", "lost", 0.0),
            ("milliseconds after the instant, p99", "p99_ms", None),
        )
    ] + [
        Chart(
            title=f"{who}: resident memory at most, MB",
            command=command,
            bars=[
                Bar(
                    name=each.name,
                    value=rounded(each.peak_bytes / 1e6),
                    peer=each.name.startswith("nginx"),
                )
                for each in held
            ],
            drawn=False,
        )
    ]


def _memory_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--listeners", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--slow", type=int, default=0)
    given = parser.parse_args()
    sys.exit(
        asyncio.run(
            main(
                given.listeners or (HONEST if given.slow else LISTENERS),
                given.seconds or (SLOW_S if given.slow else SECONDS),
                given.slow,
            )
        )
    )
