"""The first load on a slow phone: from the link until the Listen button answers.

Chromium with a processor four times slower and a line of 1.6 Mbit/s, each time as a phone that
was never at Tell. It ends when a press of the button has been answered on the screen. The peer is
a page of nothing but a heading and a button, in the same browser: what no page can beat.

    python -m bench.first_load [--rounds 5] [--latency-ms 0]
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import structlog
from playwright.async_api import Browser, Page, Route, expect

from demo import browser
from demo.browser import LISTEN, STOP
from tests.browser.world import MOVIE_ID, World, publish_code, running_world

_WANTED_S = 1.0
_SLOWER = 4
_LINE_BPS = 1_600_000
_PEER = "<!doctype html><title>Peer</title><h1>Peer</h1><button type=button>Listen</button>"


async def measure(rounds: int, latency_ms: float) -> bool:
    """Print each round's seconds, the medians, and what came; whether ours is quick enough."""
    with tempfile.TemporaryDirectory(prefix="tell-bench-") as folder:
        await publish_code(Path(folder) / "media", MOVIE_ID, first_second=0, seconds=60)
        async with running_world(Path(folder)) as world, browser.chromium() as running:
            ours, peers = [], []
            for number in range(rounds):
                ours.append(await _ours(world, running, latency_ms))
                peers.append(await _peer(world, running, latency_ms))
                print(f"  round {number + 1}: {ours[-1]:.2f} s, peer {peers[-1]:.2f} s", flush=True)
    seconds, peer_s = statistics.median(ours), statistics.median(peers)
    print(f"\n{_SLOWER} x CPU, {_LINE_BPS / 1e6:g} Mbit/s, {latency_ms:g} ms of latency:")
    print("| | until the button answers | wanted |")
    print("|---|---|---|")
    print(f"| Tell's app, first visit | {seconds:.2f} s | < {_WANTED_S:g} s |")
    print(f"| peer: a heading and a button | {peer_s:.2f} s | |")
    return seconds < _WANTED_S


async def _ours(world: World, running: Browser, latency_ms: float) -> float:
    sale = await world.sell(timedelta(hours=3))
    context = await browser.phone(running)
    try:
        page = await context.new_page()
        await _slow_down(page, latency_ms)
        began = time.monotonic()
        await page.goto(sale.listen_url, wait_until="commit")
        await page.get_by_role("button", name=LISTEN, exact=True).click()
        # It answers: the press is taken, and the next one would stop it.
        await expect(page.get_by_role("button", name=STOP, exact=True)).to_be_visible()
        return time.monotonic() - began
    finally:
        await context.close()


async def _peer(world: World, running: Browser, latency_ms: float) -> float:
    context = await browser.phone(running)
    try:
        page = await context.new_page()

        async def answer(route: Route) -> None:
            await route.fulfill(body=_PEER, content_type="text/html")

        await page.route("**/peer", answer)
        await _slow_down(page, latency_ms)
        began = time.monotonic()
        await page.goto(f"{world.tell.url}/peer", wait_until="commit")
        await page.get_by_role("button", name="Listen").click()
        return time.monotonic() - began
    finally:
        await context.close()


async def _slow_down(page: Page, latency_ms: float) -> None:
    protocol = await page.context.new_cdp_session(page)
    await protocol.send("Network.enable")
    await protocol.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": latency_ms,
            "downloadThroughput": _LINE_BPS / 8,
            "uploadThroughput": _LINE_BPS / 8,
        },
    )
    await protocol.send("Emulation.setCPUThrottlingRate", {"rate": _SLOWER})


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    missing = browser.available()
    if missing is not None:
        sys.exit(missing)
    sys.exit(0 if asyncio.run(measure(options.rounds, options.latency_ms)) else 1)


if __name__ == "__main__":
    main()
