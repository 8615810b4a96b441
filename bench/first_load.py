"""The first load on a slow phone: from the link until the Listen button answers.

Chromium with a processor four times slower and a line of 1.6 Mbit/s, each time as a phone that
was never at Tell. As soon as the button stands on the screen a real press is sent to it, and it
ends when the page has painted the answer; all by the browser's clock, from the start of the
navigation. The peer is a page of nothing but a heading and a button that changes its word, in the
same browser: what no page can beat.

    python -m bench.first_load [--rounds 5] [--latency-ms 0]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import statistics
import sys
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog
from playwright.async_api import Browser, Page, Route

from demo import browser
from demo.browser import LISTEN, STOP
from tests.browser.world import MOVIE_ID, publish_code, running_world

_WANTED_S = 1.0
_PATIENCE_S = 30.0
_SLOWER = 4
_LINE_BPS = 1_600_000
_PEER = """<!doctype html><title>Peer</title><h1>Peer</h1><button type=button>Listen</button>
<script>const button = document.querySelector("button");
button.addEventListener("click", () => (button.textContent = "Stop"));</script>"""

# Looks for the button at each change of the page, says where it is, and when its answer is painted.
_WATCH = """
(() => {
  let found = false;
  const look = () => {
    for (const button of document.querySelectorAll("button")) {
      if (button.textContent === LISTEN && !found && button.isConnected) {
        const { x, y, width, height } = button.getBoundingClientRect();
        if (width === 0) continue;
        found = true;
        tellBench(JSON.stringify({ at: performance.now(), x: x + width / 2, y: y + height / 2 }));
      } else if (button.textContent === STOP) {
        watcher.disconnect();
        requestAnimationFrame(() => setTimeout(() =>
          tellBench(JSON.stringify({ answered: performance.now() }))));
      }
    }
  };
  const watcher = new MutationObserver(look);
  watcher.observe(document, { childList: true, subtree: true, characterData: true });
})();
"""


@dataclass(frozen=True, slots=True)
class Load:
    """Seconds from the start of the navigation until the button stood, and until it answered."""

    button_s: float
    answer_s: float

    def __str__(self) -> str:
        return f"{self.button_s:.2f} and {self.answer_s:.2f} s"


async def measure(rounds: int, latency_ms: float) -> bool:
    """Print each round's seconds and the medians; whether ours is quick enough."""
    with tempfile.TemporaryDirectory(prefix="tell-bench-") as folder:
        await publish_code(Path(folder) / "media", MOVIE_ID, first_second=0, seconds=60)
        async with running_world(Path(folder)) as world, browser.chromium() as running:
            ours, peers = [], []
            for number in range(rounds):
                sale = await world.sell(timedelta(hours=3))
                ours.append(await _load(running, sale.listen_url, latency_ms))
                peers.append(await _load(running, f"{world.tell.url}/peer", latency_ms))
                print(f"  round {number + 1}: {ours[-1]}, peer {peers[-1]}", flush=True)
    print(f"\n{_SLOWER} x CPU, {_LINE_BPS / 1e6:g} Mbit/s, {latency_ms:g} ms of latency:")
    print("| | the button stands | it has answered | wanted |")
    print("|---|---|---|---|")
    for name, loads, wanted in (
        ("Tell's app, first visit", ours, f"< {_WANTED_S:g} s"),
        ("peer: a heading and a button", peers, ""),
    ):
        button_s, answer_s = (
            statistics.median(values)
            for values in zip(*((load.button_s, load.answer_s) for load in loads), strict=True)
        )
        print(f"| {name} | {button_s:.2f} s | {answer_s:.2f} s | {wanted} |")
    return statistics.median(load.answer_s for load in ours) < _WANTED_S


async def _load(running: Browser, url: str, latency_ms: float) -> Load:
    context = await browser.phone(running)
    try:
        page = await context.new_page()
        told: asyncio.Queue[dict[str, float]] = asyncio.Queue()
        await page.expose_function("tellBench", lambda text: told.put_nowait(json.loads(text)))
        words = f"const LISTEN = {json.dumps(LISTEN)}, STOP = {json.dumps(STOP)};"
        await page.add_init_script(f"{words}{_WATCH}")
        await page.route("**/peer", _answer_peer)
        await _slow_down(page, latency_ms)
        await page.goto(url, wait_until="commit")
        async with asyncio.timeout(_PATIENCE_S):
            button = await told.get()
            await page.mouse.click(button["x"], button["y"])
            answer = await told.get()
        return Load(button["at"] / 1000, answer["answered"] / 1000)
    finally:
        await context.close()


async def _answer_peer(route: Route) -> None:
    await route.fulfill(body=_PEER, content_type="text/html")


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
