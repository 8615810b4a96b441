"""`make bench-enemies`: what a listener hears while others attack, and what it costs in memory.

One listener asks for a segment of 48 kB every 20 ms, alone and then beside each attack, which is a
process of its own: heads without end, connections on which nothing or half a head comes, bodies of
a gigabyte, bodies that unpack to a hundred megabytes, and ranges that ask for a file many times.
What each is answered is proved by tests/gateway/enemies, whose clients these are.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gzip
import itertools
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.evening import RENDITION, make_evening
from bench.figures import Bar, Chart, hand_over, rounded
from bench.processes import port_of
from bench.tree import resident_bytes
from demo.services import program, start_service
from gateway.delivery.room import raise_descriptors
from tests.gateway.enemies.clients import lines, send, until_closed
from tests.gateway.workers.clients import Wire

SECONDS = 10.0
# A player has tens of seconds in store; a segment that takes longer than this is no service.
_SERVED_MS = 1000.0
_EVERY_S = 0.02
_SEGMENT = 48_000
_SEGMENTS = 1000
_LOOK_S = 0.1
_AT_ONCE = 40
_SILENT = 1000
_BLOCK = bytes(65536)
_GIGABYTE = 1 << 30
_BOMB_BYTES = 100_000_000
_JSON = "POST /tell/claims HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"

# What one attacker does on one connection, again and again; it gets the path of a large file.
Attack = Callable[[int, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Heard:
    """What the listener got: how long each segment took, and how often she had to connect again."""

    took_s: Sequence[float]
    reconnected: int
    peak_bytes: int

    def within_ms(self, part: float) -> float:
        """So long took each of this part of the segments at most, in milliseconds."""
        return 1000 * sorted(self.took_s)[int(part * (len(self.took_s) - 1))]

    def row(self, name: str, attacks: int | None, seconds: float) -> str:
        """Its line of the table."""
        often = "" if attacks is None else f"{attacks / seconds:,.0f}"
        p50, p99, slowest = (self.within_ms(part) for part in (0.5, 0.99, 1.0))
        took = f"{p50:.1f} / {p99:.1f} / {slowest:.0f} ms"
        resident = f"{self.peak_bytes / 1e6:.0f} MB"
        cells = (name, often, str(len(self.took_s)), took, str(self.reconnected), resident)
        return f"| {' | '.join(cells)} |"

    def bar(self, name: str, *, peer: bool = False) -> Bar:
        """Its bar of the picture."""
        most = None if peer else _SERVED_MS
        return Bar(name=name, value=rounded(self.within_ms(0.99)), peer=peer, at_most=most)


HEADING = (
    "| | attacks a second | segments heard | p50 / p99 / slowest | connected again "
    "| resident at most |\n|---|---|---|---|---|---|"
)


async def main(seconds: float) -> int:
    """Print the table; 1 where the listener was not served, or had to connect again."""
    raise_descriptors()
    with tempfile.TemporaryDirectory(prefix="tell-bench-", dir=".") as name:
        folder = await asyncio.to_thread(Path(name).absolute)
        evening = await make_evening(folder, 2)
        own, other = (
            f"/stream/{each.stream_token}/{RENDITION}.mp4" for each in evening.listeners[:2]
        )
        command = [program("tell"), "serve", "--port", "0"]
        tell = await start_service("Tell", command, folder / "tell.log", evening.environ)
        try:
            pid, port = tell.process.pid, port_of(tell.url)
            print(
                f"A segment of 48 kB every {1000 * _EVERY_S:.0f} ms for {seconds:.0f} s beside "
                f"each attack, load of the machine {os.getloadavg()[0]:.1f}:\n\n{HEADING}",
                flush=True,
            )
            alone = await _listen(port, pid, own, seconds)
            print(alone.row("alone", None, seconds), flush=True)
            bars = [alone.bar("alone", peer=True)]
            again = alone.reconnected
            for attack in ATTACKS:
                async with _attacked(attack, port, other) as attackers:
                    heard = await _listen(port, pid, own, seconds)
                    # What it does not tell any more was in vain.
                    attackers.terminate()
                    assert attackers.stdout is not None
                    attacks = int(await attackers.stdout.read() or b"0")
                print(heard.row(attack, attacks, seconds), flush=True)
                bars.append(heard.bar(attack))
                again += heard.reconnected
            stands = tell.process.returncode is None
        finally:
            await tell.stop()
    title = "Milliseconds until a listener has a segment while others attack, p99"
    missed = hand_over(Chart(title=title, command="make bench-enemies", bars=bars))
    return 0 if stands and not again and not missed else 1


async def _listen(port: int, pid: int, path: str, seconds: float) -> Heard:
    """Hear one segment after the other; what breaks off is asked for again."""
    took_s: list[float] = []
    reconnected, peak = -1, 0
    wire: Wire | None = None
    began = look = time.perf_counter()
    while (now := time.perf_counter()) < began + seconds:
        if now >= look:
            peak = max(peak, await asyncio.to_thread(resident_bytes, pid))
            look = now + _LOOK_S
        first = 16_000 + len(took_s) % _SEGMENTS * _SEGMENT
        asked = time.perf_counter()
        try:
            if wire is None:
                reconnected += 1
                wire = await Wire(port).open()
            head, _ = await wire.get(path, f"Range: bytes={first}-{first + _SEGMENT - 1}")
        except (EOFError, ConnectionError):
            if wire is not None:
                wire.close()
            wire = None
            continue
        if not head.startswith(b"HTTP/1.1 206 "):
            raise AssertionError(head)
        took_s.append(time.perf_counter() - asked)
        await asyncio.sleep(max(0.0, asked + _EVERY_S - time.perf_counter()))
    if wire is not None:
        wire.close()
    return Heard(took_s, reconnected, peak)


@contextlib.asynccontextmanager
async def _attacked(attack: str, port: int, path: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the attack in a process of its own; it goes on when the block begins."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.enemies", "--attack", attack),
        *("--port", str(port), "--path", path),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        if await process.stdout.readline() != b"ready\n":
            raise AssertionError(f"{attack} failed")
        yield process
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()


async def _pour_head(port: int, _path: str) -> None:
    """Lines of a head, until it is refused."""
    async with lines(port, 1) as (line,):
        await _pour(line, b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"X-A: b\r\n" * 2000)


async def _pour(line: socket.socket, head: bytes, block: bytes) -> None:
    """Send *head*, and *block* again and again, until the other end has had enough."""
    ending = asyncio.create_task(until_closed(line))
    try:
        await send(line, head)
        while await send(line, block):
            # Others have their turn, and the answer too.
            await asyncio.wait([ending], timeout=0)
            if ending.done():
                break
        await ending
    finally:
        # Who ends the attack closes the line under it.
        ending.cancel()


async def _be_silent(port: int, _path: str) -> None:
    """Half a head, and nothing more until it is let go."""
    async with lines(port, 1, said=b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Half: ") as (line,):
        await until_closed(line)


async def _pour_body(port: int, _path: str) -> None:
    """A gigabyte, by its length or in pieces, until it is refused."""
    for framing, block in (
        (f"Content-Length: {_GIGABYTE}", _BLOCK),
        ("Transfer-Encoding: chunked", b"10000\r\n" + _BLOCK + b"\r\n"),
    ):
        async with lines(port, 1) as (line,):
            await _pour(line, f"{_JSON}{framing}\r\n\r\n".encode(), block)


async def _bomb(port: int, _path: str) -> None:
    """A hundred kilobytes that unpack to a hundred megabytes."""
    async with lines(port, 1) as (line,):
        head = f"Connection: close\r\nContent-Encoding: gzip\r\nContent-Length: {len(_bombs[0])}"
        await send(line, f"{_JSON}{head}\r\n\r\n".encode() + _bombs[0])
        await until_closed(line)


async def _ask_many_ranges(port: int, path: str) -> None:
    """The whole of a large file, two thousand times in one request; a megabyte of it is taken."""
    many = ",".join(["0-"] * 2000)
    async with lines(port, 1) as (line,):
        await send(line, f"GET {path} HTTP/1.1\r\nHost: x\r\nRange: bytes={many}\r\n\r\n".encode())
        taken = 0
        while taken < 1_000_000:
            piece = await asyncio.get_running_loop().sock_recv(line, 65536)
            if not piece:
                break
            taken += len(piece)


ATTACKS: dict[str, tuple[Attack, int]] = {
    "heads without end": (_pour_head, _AT_ONCE),
    "1,000 half-open connections": (_be_silent, _SILENT),
    "bodies of 1 GB": (_pour_body, _AT_ONCE),
    "decompression bombs": (_bomb, _AT_ONCE),
    "ranges that multiply": (_ask_many_ranges, _AT_ONCE),
}
_bombs: list[bytes] = []


async def attack(name: str, port: int, path: str) -> None:
    """Attack without end; SIGTERM has it print how often, and end."""
    raise_descriptors()
    once, at_once = ATTACKS[name]
    _bombs.append(gzip.compress(bytes(_BOMB_BYTES)))
    count = itertools.count()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    async def go_on() -> None:
        while not stop.is_set():
            next(count)
            with contextlib.suppress(ConnectionError, TimeoutError):
                await once(port, path)

    attackers = [asyncio.create_task(go_on()) for _ in range(at_once)]
    # Each has had its turn.
    await asyncio.sleep(0.2)
    before = next(count)
    print("ready", flush=True)
    await stop.wait()
    print(next(count) - before - 1, flush=True)
    for each in attackers:
        each.cancel()
    await asyncio.wait(attackers)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--attack", choices=[*ATTACKS])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--path", default="")
    given = parser.parse_args()
    if given.attack is None:
        sys.exit(asyncio.run(main(given.seconds)))
    asyncio.run(attack(given.attack, given.port, given.path))
