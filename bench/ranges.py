"""`make bench-ranges`: segments a server CPU-second, beside nginx and aiohttp's FileResponse.

Three servers with one process each, on the same files: Tell as it runs (`tell serve`, its log too),
nginx with its own signed links, and aiohttp's FileResponse behind a check of the same token. One
load client asks each in turn for segments of 48 kB over 64 connections, while the tokens of 2,000
tickets are in use. What counts is requests for each second of processor time that the kernel puts
on the server's account (/proc/PID/stat): a client that is slower than the server costs nothing.
Rounds alternate, and the medians are compared.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.evening import RENDITION, Evening, make_evening
from bench.figures import Bar, Chart, hand_over, quick, rounded
from bench.nginx import running_peer
from bench.processes import cpu_s, port_of
from demo.services import program, start_service

TICKETS = 2_000
CONNECTIONS = 64
ROUNDS = 5
ROUND_S = 3.0
NEEDED_OF_NGINX = 0.2
NEEDED_OF_FILE_RESPONSE = 2.0
_ASKED_BY_CONNECTION = 400


@dataclass
class Side:
    """A server under load. `path` gives the path of a ticket's file, by the ticket's number.

    A connection is one listener's, or, where they are `mixed`, a proxy's for many of them.
    """

    name: str
    port: int
    pid: int
    path: Callable[[int], str]
    mixed: bool = False
    rates: list[float] = field(default_factory=list)
    p99s_ms: list[float] = field(default_factory=list)


async def main(rounds: int = ROUNDS, round_s: float = ROUND_S) -> int:
    """Print the table; the exit code is 1 where a figure is not reached."""
    with tempfile.TemporaryDirectory(prefix="tell-bench-", dir=".") as name:
        folder = await asyncio.to_thread(Path(name).absolute)
        evening = await make_evening(folder, TICKETS)
        async with AsyncExitStack() as stack:
            sides = await _start_all(stack, folder, evening)
            for side in sides:
                await _check(side, evening)
                await _warm_up(side, evening)
                await _round(side, evening, round_s)
                side.rates.clear()
                side.p99s_ms.clear()
            for _ in range(rounds):
                for side in sides:
                    await _round(side, evening, round_s)
    return _report(sides, rounds, round_s)


async def _start_all(stack: AsyncExitStack, folder: Path, evening: Evening) -> Sequence[Side]:
    tell = await start_service(
        "Tell", [program("tell"), "serve", "--port", "0"], folder / "tell.log", evening.environ
    )
    stack.push_async_callback(tell.stop)
    peer = await start_service(
        "FileResponse",
        [
            *(sys.executable, "-m", "bench.file_response"),
            *(str(folder / "secrets" / "signing.keys"), str(evening.file.parent)),
        ],
        folder / "peer.log",
    )
    stack.push_async_callback(peer.stop)
    nginx = await stack.enter_async_context(running_peer(folder, evening.file.parent))

    def tokened(number: int) -> str:
        return f"/stream/{evening.listeners[number].stream_token}/{RENDITION}.mp4"

    def signed(number: int) -> str:
        return nginx.path(evening.listeners[number].correlation_id, f"{RENDITION}.mp4")

    return (
        Side("Tell", port_of(tell.url), tell.process.pid, tokened),
        Side("Tell, as if by a proxy", port_of(tell.url), tell.process.pid, tokened, mixed=True),
        Side("nginx, secure_link", nginx.port, nginx.pid, signed),
        Side("aiohttp FileResponse", port_of(peer.url), peer.process.pid, tokened),
    )


def _request(side: Side, evening: Evening, number: int, segment: int) -> str:
    piece = evening.track.renditions[0].segments[segment]
    # The headers of a browser's player.
    return (
        f"GET {side.path(number)} HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{side.port}\r\n"
        "Connection: keep-alive\r\n"
        'sec-ch-ua-platform: "Android"\r\n'
        "User-Agent: Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/150.0.0.0 Mobile Safari/537.36\r\n"
        "Accept: */*\r\n"
        "Sec-Fetch-Site: same-origin\r\n"
        "Sec-Fetch-Mode: cors\r\n"
        "Sec-Fetch-Dest: empty\r\n"
        "Accept-Encoding: identity\r\n"
        "Accept-Language: en-US,en;q=0.9\r\n"
        f"Range: bytes={piece.offset}-{piece.offset + piece.size - 1}\r\n\r\n"
    )


async def _check(side: Side, evening: Evening) -> None:
    """Raise AssertionError unless the server sends exactly the bytes, and refuses a bad path."""
    piece = evening.track.renditions[0].segments[7]
    with evening.file.open("rb") as file:
        file.seek(piece.offset)
        wanted = file.read(piece.size)
    # Twice: the first time may be another way.
    for _ in range(2):
        head, body = await _get(side.port, _request(side, evening, 0, 7))
        if not head.startswith(b"HTTP/1.1 206 ") or body != wanted:
            raise AssertionError(f"{side.name}: {head!r}, {len(body)} bytes")
    good = side.path(0)
    bad = _request(side, evening, 0, 7).replace(good, good.replace(good[40:42], "__", 1))
    head, _ = await _get(side.port, bad)
    if head.startswith(b"HTTP/1.1 2"):
        raise AssertionError(f"{side.name} opened a changed token: {head!r}")


async def _warm_up(side: Side, evening: Evening) -> None:
    """Ask once with each token: the evening has been going on for a while."""
    reader, writer = await asyncio.open_connection("127.0.0.1", side.port)
    for number in range(TICKETS):
        writer.write(_request(side, evening, number, 0).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        at = head.lower().index(b"content-length: ") + 16
        await reader.readexactly(int(head[at : head.index(b"\r", at)]))
    writer.close()


async def _get(port: int, request: str) -> tuple[bytes, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request.encode())
        head = await reader.readuntil(b"\r\n\r\n")
        at = head.lower().index(b"content-length: ") + 16
        return head, await reader.readexactly(int(head[at : head.index(b"\r", at)]))
    finally:
        writer.close()


async def _round(side: Side, evening: Evening, round_s: float) -> None:
    """Load one server, and note its requests a CPU-second."""
    chance = random.Random(2)  # noqa: S311  (the same requests each time)
    lists = []
    for connection in range(CONNECTIONS):
        mine = range(connection, TICKETS, CONNECTIONS) if side.mixed else [connection]
        segments = len(evening.track.renditions[0].segments)
        lists.append(
            [
                _request(side, evening, mine[turn % len(mine)], chance.randrange(segments))
                for turn in range(_ASKED_BY_CONNECTION)
            ]
        )
    before_s = cpu_s(side.pid)
    result = await run_load(side.port, CONNECTIONS, round_s, lists)
    used_s = cpu_s(side.pid) - before_s
    if result["wrong"]:
        raise AssertionError(f"{side.name}: {result['wrong']}")
    side.rates.append(result["answered"] / used_s)
    side.p99s_ms.append(result["p99_ms"])


async def run_load(
    port: int, connections: int, seconds: float, requests: list[list[str]]
) -> dict[str, Any]:
    """Run bench/load.py in a process of its own; gives what it prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.load", str(port), str(connections), str(seconds)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate(json.dumps(requests).encode())
    if process.returncode:
        raise AssertionError("the load client failed")
    result: dict[str, Any] = json.loads(out)
    return result


def _report(sides: Sequence[Side], rounds: int, round_s: float) -> int:
    tell, proxied, nginx, peer = (statistics.median(side.rates) for side in sides)
    print(
        f"segments of 48 kB, {CONNECTIONS} connections, {TICKETS} tickets, "
        f"medians of {rounds} alternated rounds of {round_s:g} s:"
    )
    for side in sides:
        rates = ", ".join(f"{rate:.0f}" for rate in side.rates)
        print(
            f"  {side.name:<23} {statistics.median(side.rates):7.0f} a CPU-second   "
            f"p99 {statistics.median(side.p99s_ms):6.1f} ms   ({rates})"
        )
    print(f"  of nginx's        {tell / nginx:6.2f}   (at least {NEEDED_OF_NGINX:g} is needed)")
    print(f"  of FileResponse's {tell / peer:6.2f}   (at least {NEEDED_OF_FILE_RESPONSE:g})")
    return hand_over(
        Chart(
            title="Segments of 48 kB for each second of a processor",
            command="make bench-ranges",
            bars=[
                Bar(name="Tell, a connection each", value=rounded(tell)),
                Bar(name="Tell, behind a proxy", value=rounded(proxied)),
                Bar(name="nginx with secure_link", value=rounded(nginx), peer=True),
                Bar(name="aiohttp's FileResponse", value=rounded(peer), peer=True),
            ],
        ),
        Chart(
            title="Segments, as a multiple of a peer's",
            command="make bench-ranges",
            bars=[
                Bar(name="of nginx's", value=rounded(tell / nginx), at_least=NEEDED_OF_NGINX),
                Bar(
                    name="of FileResponse's",
                    value=rounded(tell / peer),
                    at_least=NEEDED_OF_FILE_RESPONSE,
                ),
            ],
            drawn=False,
        ),
    )


if __name__ == "__main__":
    sys.exit(asyncio.run(main(1, 0.5) if quick() else main()))
