"""`make bench-nginx`: segments a CPU-second behind the shipped nginx, beside a plain nginx.

One side is deploy/nginx/delivery.conf before `tell serve`, with 10,000 live tokens that all
connections use in turn, as a proxy's would; what counts is the processor time of both. The other is
an nginx that sends the same files to anybody (the plain location of deploy/nginx/bench.conf). Their
rounds alternate. Decisions are kept for 60 s: they were asked for over a minute before the first
round, so that they end one after the other, as on an evening. All that end while the plain nginx
runs are asked again in Tell's next round, which bears more than an evening's share of them; so the
plain rounds are short.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.evening import RENDITION, Evening, make_evening
from bench.figures import Bar, Chart, hand_over, quick, rounded
from bench.nginx import running_peer
from bench.processes import cpu_s, port_of
from bench.ranges import run_load
from demo.services import program, start_service
from demo.services.nginx import running_nginx

TICKETS = 10_000
CONNECTIONS = 64
ROUNDS = 7
ROUND_S = 5.0
PLAIN_ROUND_S = 2.0
WARM_UP_S = 60.0
NEEDED = 0.6
_ASKED_BY_CONNECTION = 400
_DECISIONS = 'tell_http_requests_total{method="GET",route="/stream/{token}/decision",status="204"}'


@dataclass
class Side:
    """A way to the files. `path` gives that of a ticket, by the ticket's number."""

    name: str
    port: int
    pids: Sequence[int]
    path: Callable[[int], str]
    rates: list[float] = field(default_factory=list)
    p99s_ms: list[float] = field(default_factory=list)
    answered: int = 0
    used_s: float = 0.0


async def main(rounds: int = ROUNDS, round_s: float = ROUND_S, warm_up_s: float = WARM_UP_S) -> int:
    """Print the table; the exit code is 1 where the figure is not reached."""
    with tempfile.TemporaryDirectory(prefix="tell-bench-", dir=".") as name:
        folder = await asyncio.to_thread(Path(name).absolute)
        evening = await make_evening(folder, TICKETS)
        async with AsyncExitStack() as stack:
            environ = {**evening.environ, "TELL_DELIVERY__MODE": '"nginx"'}
            tell = await start_service(
                "Tell", [program("tell"), "serve", "--port", "0"], folder / "tell.log", environ
            )
            stack.push_async_callback(tell.stop)
            values = {"tell": f"127.0.0.1:{port_of(tell.url)}", "media": str(folder / "media")}
            front = await stack.enter_async_context(
                running_nginx("delivery.conf", folder / "front", values)
            )
            peer = folder / "plain"
            peer.mkdir()
            plain = await stack.enter_async_context(running_peer(peer, evening.file.parent))

            def tokened(number: int) -> str:
                return f"/stream/{evening.listeners[number].stream_token}/{RENDITION}.mp4"

            sides = (
                Side("behind nginx", front.port, (front.pid, tell.process.pid), tokened),
                Side("plain nginx", plain.port, (plain.pid,), lambda _: f"/plain/{RENDITION}.mp4"),
            )
            for side in sides:
                await _check(side, evening)
            await _warm_up(sides[0], evening, warm_up_s)
            before = await asyncio.to_thread(_decisions, tell.url)
            for _ in range(rounds):
                await _round(sides[0], evening, round_s)
                await _round(sides[1], evening, min(round_s, PLAIN_ROUND_S))
            decisions = await asyncio.to_thread(_decisions, tell.url) - before
    return _report(sides, rounds, round_s, decisions)


def _request(side: Side, evening: Evening, number: int, segment: int) -> str:
    piece = evening.track.renditions[0].segments[segment]
    return (
        f"GET {side.path(number)} HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{side.port}\r\n"
        "User-Agent: Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/150.0.0.0 Mobile Safari/537.36\r\n"
        "Accept: */*\r\n"
        "Accept-Encoding: identity\r\n"
        "Accept-Language: en-US,en;q=0.9\r\n"
        f"Range: bytes={piece.offset}-{piece.offset + piece.size - 1}\r\n\r\n"
    )


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: str
) -> tuple[bytes, bytes]:
    writer.write(request.encode())
    head = await reader.readuntil(b"\r\n\r\n")
    at = head.lower().index(b"content-length: ") + 16
    return head, await reader.readexactly(int(head[at : head.index(b"\r", at)]))


async def _check(side: Side, evening: Evening) -> None:
    """Raise AssertionError unless exactly the bytes come."""
    piece = evening.track.renditions[0].segments[7]
    wanted = await asyncio.to_thread(evening.file.read_bytes)
    reader, writer = await asyncio.open_connection("127.0.0.1", side.port)
    head, body = await _ask(reader, writer, _request(side, evening, 0, 7))
    if (
        not head.startswith(b"HTTP/1.1 206 ")
        or body != wanted[piece.offset : piece.offset + piece.size]
    ):
        raise AssertionError(f"{side.name}: {head!r}, {len(body)} bytes")
    writer.close()


async def _warm_up(side: Side, evening: Evening, warm_up_s: float) -> None:
    """Ask once with each token, over a minute as a rule."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    reader, writer = await asyncio.open_connection("127.0.0.1", side.port)
    for number in range(TICKETS):
        await _ask(reader, writer, _request(side, evening, number, 0))
        await asyncio.sleep(max(0.0, began + number * warm_up_s / TICKETS - loop.time()))
    writer.close()


async def _round(side: Side, evening: Evening, round_s: float) -> None:
    """Load one side, and note its requests a CPU-second."""
    chance = random.Random(len(side.rates))  # noqa: S311  (the same requests each time)
    segments = len(evening.track.renditions[0].segments)
    lists = []
    for connection in range(CONNECTIONS):
        mine = list(range(connection, TICKETS, CONNECTIONS))
        chance.shuffle(mine)
        lists.append(
            [
                _request(side, evening, mine[turn % len(mine)], chance.randrange(segments))
                for turn in range(_ASKED_BY_CONNECTION)
            ]
        )
    before_s = sum(cpu_s(pid) for pid in side.pids)
    result = await run_load(side.port, CONNECTIONS, round_s, lists)
    used_s = sum(cpu_s(pid) for pid in side.pids) - before_s
    if result["wrong"]:
        raise AssertionError(f"{side.name}: {result['wrong']}")
    side.rates.append(result["answered"] / used_s)
    side.p99s_ms.append(result["p99_ms"])
    side.answered += result["answered"]
    side.used_s += used_s


def _decisions(url: str) -> int:
    """How many decisions Tell has made."""
    with urllib.request.urlopen(f"{url}/metrics") as answer:  # noqa: S310  (it is ours)
        for line in answer.read().decode().splitlines():
            if line.startswith(_DECISIONS):
                return int(float(line.rpartition(" ")[2]))
    return 0


def _report(sides: Sequence[Side], rounds: int, round_s: float, decisions: int) -> int:
    behind, plain = sides
    print(
        f"segments of 48 kB, {CONNECTIONS} connections, {TICKETS:,} tokens, "
        f"medians of {rounds} alternated rounds of {round_s:g} s and {PLAIN_ROUND_S:g} s:"
    )
    for side in sides:
        rates = ", ".join(f"{rate:.0f}" for rate in side.rates)
        print(
            f"  {side.name:<13} {statistics.median(side.rates):7.0f} a CPU-second   "
            f"p99 {statistics.median(side.p99s_ms):6.1f} ms   ({rates})"
        )
    of_median = statistics.median(behind.rates) / statistics.median(plain.rates)
    of_all = (behind.answered / behind.used_s) / (plain.answered / plain.used_s)
    print(
        f"  of plain nginx {of_median:5.2f}   "
        f"(all rounds together {of_all:.2f}; at least {NEEDED:g} is needed)"
    )
    print(f"  {decisions:,} decisions were made for {behind.answered:,} segments")
    return hand_over(
        Chart(
            title="The same where nginx sends and Tell decides, both counted",
            command="make bench-nginx",
            bars=[
                Bar(name="nginx and Tell", value=rounded(statistics.median(behind.rates))),
                Bar(
                    name="nginx alone, for anybody",
                    value=rounded(statistics.median(plain.rates)),
                    peer=True,
                ),
            ],
        ),
        Chart(
            title="Behind nginx, as a multiple of plain nginx",
            command="make bench-nginx",
            bars=[Bar(name="nginx and Tell", value=rounded(of_median), at_least=NEEDED)],
            drawn=False,
        ),
    )


if __name__ == "__main__":
    sys.exit(asyncio.run(main(1, 0.5, 0.0) if quick() else main()))
