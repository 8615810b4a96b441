"""`make bench-events`: from AMC-clone's "start now" to 1,000 connected listeners, or LISTENERS=.

Real processes: AMC-clone, Tell, and here a thousand phones that hold GET /tell/events open. The
button on the operator's page is pressed (its form is posted), and each phone notes when the event
has come. What lies between: the press, AMC-clone's transaction, its signed message, Tell's
transaction and 202, and the fan-out. All read one clock, that of this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bench.figures import Bar, Chart, hand_over, quick, rounded
from bench.tree import resident_bytes
from demo.services import free_port, program, run_command, start_service

_LISTENERS = 1_000
_DEVICES_PER_PURCHASE = 5
_PRESSES = 5
_LIMIT_S = 2.0
_PATIENCE_S = 60.0
_BUYERS = 16
_EVENT = b"event: screening.started\n"


@dataclass
class Phone:
    """A listener's open connection; `heard` gets when each event came, by time.monotonic."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heard: asyncio.Queue[float] = field(default_factory=asyncio.Queue)

    async def listen(self) -> None:
        """Note each start, until the connection ends."""
        while line := await self.reader.readline():
            if line == _EVENT:
                self.heard.put_nowait(time.monotonic())


async def main(listeners: int) -> int:
    """Print the delays; the exit code is 1 where the 99th percentile is not below two seconds."""
    with tempfile.TemporaryDirectory(prefix="tell-bench-", dir=".") as folder:
        async with _services(Path(folder)) as (tell_url, amc_url, pid):
            began = time.monotonic()
            showtime_id, tokens = await _sell(tell_url, amc_url, listeners)
            before = await asyncio.to_thread(resident_bytes, pid)
            phones = [await _connect(tell_url, token) for token in tokens]
            listening = [asyncio.create_task(phone.listen()) for phone in phones]
            print(
                f"{len(phones)} listeners of one screening connected "
                f"({time.monotonic() - began:.0f} s to sell, claim and connect)"
            )
            delays_s = await _press(amc_url, showtime_id, phones)
            after = await asyncio.to_thread(resident_bytes, pid)
            for phone in phones:
                phone.writer.close()
            await asyncio.gather(*listening, return_exceptions=True)
    p99_s = statistics.quantiles(delays_s, n=100)[98]
    print(f'from "start now" to the event, {_PRESSES} presses, {len(delays_s)} events:')
    print(f"  median {statistics.median(delays_s) * 1000:7.0f} ms")
    print(f"  p99    {p99_s * 1000:7.0f} ms   (limit {_LIMIT_S * 1000:.0f} ms)")
    print(f"  last   {max(delays_s) * 1000:7.0f} ms")
    print(
        f"Tell is resident with {before / 1e6:.0f} MB before they come, {after / 1e6:.0f} MB "
        f"after the last press ({(after - before) / len(phones) / 1000:.0f} kB for each)"
    )
    return hand_over(
        Chart(
            title=f"Milliseconds from a start to {len(phones):,} listeners",
            command="make bench-events",
            bars=[
                Bar(name="median", value=rounded(statistics.median(delays_s) * 1000)),
                Bar(name="p99", value=rounded(p99_s * 1000), at_most=_LIMIT_S * 1000),
            ],
            drawn=False,
        )
    )


async def _press(amc_url: str, showtime_id: str, phones: list[Phone]) -> list[float]:
    """Press the button again and again, each time when all have heard of the last press."""
    delays_s: list[float] = []
    async with aiohttp.ClientSession(amc_url) as session:
        for _ in range(_PRESSES):
            pressed_at = time.monotonic()
            async with session.post(
                f"/operator/{showtime_id}/start",
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                allow_redirects=False,
            ) as response:
                assert response.status == 303, await response.text()
            async with asyncio.timeout(_PATIENCE_S):
                heard_at = await asyncio.gather(*(phone.heard.get() for phone in phones))
            delays_s += [at - pressed_at for at in heard_at]
    return delays_s


async def _connect(tell_url: str, token: str) -> Phone:
    """Open one event stream; it is open when its first position has come."""
    parts = urlsplit(tell_url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(
        f"GET /tell/events HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Authorization: Bearer {token}\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in head.splitlines()[0], head
    await reader.readuntil(b"id: ")
    return Phone(reader, writer)


async def _sell(tell_url: str, amc_url: str, listeners: int) -> tuple[str, list[str]]:
    """Sell tickets for one screening and claim each on five devices: its id, and their tokens."""
    numbers = iter(range(listeners // _DEVICES_PER_PURCHASE))
    tokens: list[str] = []
    async with aiohttp.ClientSession(amc_url) as amc, aiohttp.ClientSession(tell_url) as tell:
        showtime_id = await _put_on(amc)

        async def buyer() -> None:
            for _ in numbers:
                sold = await _json(amc, "POST", "/api/purchases", json={"showtime_id": showtime_id})
                path = f"/api/purchases/{sold['purchase_id']}"
                while sold["listen_url"] is None:
                    sold = await _json(amc, "GET", path, headers={"Prefer": "wait=20"})
                code = urlsplit(sold["listen_url"]).fragment
                for device in range(_DEVICES_PER_PURCHASE):
                    body = {"claim_code": code, "device_nonce": f"bench-device-{device:06}"}
                    claimed = await _json(tell, "POST", "/tell/claims", json=body)
                    tokens.append(claimed["listener_token"])

        await asyncio.gather(*(buyer() for _ in range(_BUYERS)))
    return showtime_id, tokens


async def _put_on(amc: aiohttp.ClientSession) -> str:
    """A screening whose previews run, in the first auditorium that is free."""
    theater = (await _json(amc, "GET", "/api/theaters"))["theaters"][0]
    now = datetime.now(UTC)
    for number in itertools.count(1):
        body = {
            "movie_id": "one-week",
            "place_id": theater["place_id"],
            "auditorium_number": str(number),
            "previews_start": (now - timedelta(minutes=10)).isoformat(),
            "movie_start": (now + timedelta(minutes=10)).isoformat(),
        }
        async with amc.post("/api/screenings", json=body) as response:
            if response.status == 201:
                return str((await response.json())["showtime_id"])
            assert response.status == 409, await response.text()
    raise AssertionError("unreachable")


async def _json(session: aiohttp.ClientSession, method: str, path: str, **more: Any) -> Any:
    async with session.request(method, path, **more) as response:
        assert response.status < 300, await response.text()
        return json.loads(await response.text())


@asynccontextmanager
async def _services(folder: Path) -> AsyncIterator[tuple[str, str, int]]:
    """Tell and AMC-clone with empty databases in *folder*; their addresses, and Tell's pid."""
    amc_port = free_port()
    environ = {
        "TELL_DATABASE__URL": f"sqlite:///{folder / 'tell.db'}",
        "TELL_MEDIA__ROOT": str(folder / "media"),
        "TELL_SECRETS__DIR": str(folder / "secrets"),
        "TELL_PARTNERS__LOCAL__BASE_URL": f"http://127.0.0.1:{amc_port}",
    }
    await run_command("tell keys init", [program("tell"), "keys", "init"], environ)
    async with contextlib.AsyncExitStack() as stack:
        command = [program("tell"), "serve", "--port", "0"]
        tell = await start_service("Tell", command, folder / "tell.log", environ)
        stack.push_async_callback(tell.stop)
        command = [program("amc-clone"), "serve", "--seed", "--database", str(folder / "amc.db")]
        command += ["--port", str(amc_port), "--tell-url", tell.url, "--key-id", "local"]
        command += ["--secret-file", str(folder / "secrets" / "webhook-local.keys")]
        amc = await start_service("AMC-clone", command, folder / "amc.log")
        stack.push_async_callback(amc.stop)
        yield tell.url, amc.url, tell.process.pid


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--listeners", type=int, default=50 if quick() else _LISTENERS, help="rounded down to fives"
    )
    # Each phone is a socket here.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    sys.exit(asyncio.run(main(parser.parse_args().listeners)))
