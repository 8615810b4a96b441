"""`make bench-ingest`: purchases a second through HTTP, group commit against one commit for each.

Two gateways on the same disk, each a process of its own (bench/intake_gateway.py), with the same
handler and the same signed requests from 64 connections; the peer puts one purchase into a
transaction. Each 202 is counted, and comes after its commit is durable. Rounds alternate, so that a
slow minute of the machine hits both. Afterwards the rows are counted: one for each answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import Bar, Chart, hand_over, quick, rounded
from catalog.keys.webhooks import load_secret_file, sign_webhook
from demo.services import start_service
from gateway.secrets import init_keys
from gateway.settings import SecretsSettings

CONNECTIONS = 64
ROUNDS = 5
ROUND_S = 3.0
NEEDED = 3.0
# Before the first round: both have their code and their tables in memory.
_WARM_UP_S = 1.0
_ENVIRONMENT = "local"


@dataclass
class Side:
    """One of the two gateways, and what it did."""

    name: str
    url: str
    database: Path
    secret: bytes
    numbers: Iterator[int]
    rates: list[float] = field(default_factory=list)
    p99s_ms: list[float] = field(default_factory=list)
    accepted: int = 0


async def main(folder: Path = Path(), round_s: float = ROUND_S) -> int:
    """Print the medians of five alternated rounds; 1 where their ratio is not reached.

    The databases lie in *folder*, on the disk that is measured.
    """
    with tempfile.TemporaryDirectory(prefix="tell-bench-", dir=folder) as scratch:
        async with (
            _gateway(Path(scratch), "group commit", commit_rows=50) as ours,
            _gateway(Path(scratch), "one commit each (peer)", commit_rows=1) as peer,
        ):
            for side in (ours, peer):
                await _round(side, _WARM_UP_S)
                side.rates.clear()
                side.p99s_ms.clear()
            for _ in range(ROUNDS):
                for side in (ours, peer):
                    await _round(side, round_s)
        for side in (ours, peer):
            _check_rows(side)
    ratio = statistics.median(ours.rates) / statistics.median(peer.rates)
    print(
        f"purchases through HTTP, {CONNECTIONS} connections, "
        f"medians of {ROUNDS} alternated rounds of {round_s:g} s:"
    )
    for side in (ours, peer):
        rates = ", ".join(f"{rate:.0f}" for rate in side.rates)
        print(
            f"  {side.name:<23} {statistics.median(side.rates):7.0f} purchases/s   "
            f"p99 {statistics.median(side.p99s_ms):6.1f} ms   ({rates})"
        )
    print(f"  ratio {ratio:23.1f} x (at least {NEEDED:g} is needed)")
    return hand_over(
        Chart(
            title="Purchases a second, each on the disk before its 202",
            command="make bench-ingest",
            bars=[
                Bar(name="Tell, many in one commit", value=rounded(statistics.median(ours.rates))),
                Bar(
                    name="one commit for each",
                    value=rounded(statistics.median(peer.rates)),
                    peer=True,
                ),
            ],
        ),
        Chart(
            title="Purchases, as a multiple of one commit for each",
            command="make bench-ingest",
            bars=[Bar(name="Tell", value=rounded(ratio), at_least=NEEDED)],
            drawn=False,
        ),
    )


async def _round(side: Side, round_s: float) -> None:
    """Send purchases over 64 connections; note the rate and the 99th percentile."""
    latencies_s: list[float] = []
    async with contextlib.AsyncExitStack() as stack:
        connections = [await _connect(stack, side.url) for _ in range(CONNECTIONS)]
        began = time.perf_counter()
        end = began + round_s
        await asyncio.gather(*(_send(side, *each, end, latencies_s) for each in connections))
        elapsed_s = time.perf_counter() - began
    side.accepted += len(latencies_s)
    side.rates.append(len(latencies_s) / elapsed_s)
    side.p99s_ms.append(statistics.quantiles(latencies_s, n=100)[98] * 1000)


async def _send(
    side: Side,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    end: float,
    latencies_s: list[float],
) -> None:
    """One connection: the next request as soon as the last one is answered, and each with 202."""
    while (sent := time.perf_counter()) < end:
        request = _request(side)
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 202 "):
            raise AssertionError(f"{head!r} {body!r}")
        latencies_s.append(time.perf_counter() - sent)


async def _connect(
    stack: contextlib.AsyncExitStack, url: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    stack.callback(writer.close)
    return reader, writer


def _request(side: Side) -> bytes:
    """A signed purchase that nobody made before, as it goes over the wire."""
    number = next(side.numbers)
    body = json.dumps(
        {
            "purchase_id": f"p-{number}",
            "movie_id": "one-week",
            "place_id": "t-1",
            "auditorium_number": "7",
            "showtime_id": f"st-{number % 20}",
            "purchased_at": "2026-11-22T18:00:00Z",
        }
    ).encode()
    timestamp_s = int(time.time())
    signature = sign_webhook(side.secret, f"msg_{number}", timestamp_s, body)
    head = (
        "POST /tell/purchase HTTP/1.1\r\nHost: bench\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"x-api-key: {_ENVIRONMENT}\r\nwebhook-id: msg_{number}\r\n"
        f"webhook-timestamp: {timestamp_s}\r\nwebhook-signature: {signature}\r\n\r\n"
    )
    return head.encode() + body


@asynccontextmanager
async def _gateway(scratch: Path, name: str, commit_rows: int) -> AsyncIterator[Side]:
    """A running gateway with a database of its own."""
    folder = scratch / f"{commit_rows}"
    folder.mkdir()
    environ = {
        "TELL_DATABASE__URL": f"sqlite:///{folder.absolute() / 'tell.db'}",
        "TELL_MEDIA__ROOT": str(folder / "media"),
        "TELL_SECRETS__DIR": str(folder / "secrets"),
        "TELL_PURCHASES__COMMIT_ROWS": str(commit_rows),
        # Everything comes from one address and one key.
        "TELL_LIMITS__PARTNER_PER_MINUTE_BY_IP": "100000000",
        "TELL_LIMITS__PURCHASES_PER_MINUTE_BY_KEY": "100000000",
        # A line for each purchase would measure the log's disk as well.
        "TELL_LOGGING__LEVEL": '"warning"',
    }
    init_keys(SecretsSettings(dir=str(folder / "secrets")), [_ENVIRONMENT])
    command = [sys.executable, "-m", "bench.intake_gateway"]
    service = await start_service("Tell", command, folder / "tell.log", environ)
    try:
        (secret,) = load_secret_file(folder / "secrets" / f"webhook-{_ENVIRONMENT}.keys")
        yield Side(name, service.url, folder / "tell.db", secret, iter(range(10**9)))
    finally:
        await service.stop()


def _check_rows(side: Side) -> None:
    """Raise AssertionError unless every 202 is in the database."""
    with closing(sqlite3.connect(side.database)) as database:
        (rows,) = database.execute("SELECT count(*) FROM purchases").fetchone()
    if rows != side.accepted:
        raise AssertionError(f"{side.name}: {side.accepted} answers of 202, {rows} rows")


if __name__ == "__main__":
    sys.exit(asyncio.run(main(round_s=0.5) if quick() else main()))
