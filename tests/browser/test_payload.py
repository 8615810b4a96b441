"""The first load: how much comes, that it is packed, and that nothing in it is inline."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from playwright.async_api import BrowserContext, Page

from demo.browser import LISTEN
from tests.browser.listening import PATIENCE_S
from tests.browser.world import World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("world"),
]

_LIMIT_BYTES = 80_000
_PLAYER = "/app/vendor/"
# The player; and of this film the description, the poster and the events of the ticket, which come
# once there is a ticket, and as long as there is one.
_NO_APP = (_PLAYER, "/stream/", "/posters/", "/tell/events")
_PACKED = ("text/", "application/json", "application/manifest+json")


async def test_the_first_load_is_small_and_packed(
    world: World, device: BrowserContext, page: Page, record_testsuite_property: Any
) -> None:
    """From the link to the ticket on the screen, hls.js aside, under 80 kB over the network."""
    sale = await world.sell(timedelta(hours=3))
    protocol = await device.new_cdp_session(page)
    await protocol.send("Network.enable")
    paths: dict[str, str] = {}
    came: dict[str, int] = {}
    plain: list[str] = []

    def answered(event: dict[str, Any]) -> None:
        response = event["response"]
        headers = {name.lower(): value for name, value in response["headers"].items()}
        path = paths[event["requestId"]] = urlsplit(response["url"]).path
        packed = headers.get("content-encoding") == "gzip"
        large = int(headers.get("content-length", "0")) > 400
        if path.startswith(("/app/", "/listen")) and large and not packed:
            plain.extend([path] if headers.get("content-type", "").startswith(_PACKED) else [])

    def arrived(event: dict[str, Any]) -> None:
        """With its headers, as it came over the network."""
        if path := paths.get(event["requestId"]):
            came[path] = came.get(path, 0) + event["encodedDataLength"]

    protocol.on("Network.responseReceived", answered)
    protocol.on("Network.loadingFinished", arrived)
    await page.goto(sale.listen_url)
    await page.get_by_role("button", name=LISTEN, exact=True).wait_for()
    asked = {path for path in paths.values() if not path.startswith(_NO_APP)}
    async with asyncio.timeout(PATIENCE_S):
        while not asked <= set(came):
            await page.wait_for_timeout(50)
    assert "/app/js/app.js" in asked
    assert plain == []
    ours = {path: came[path] for path in asked}
    record_testsuite_property("first_load_bytes", sum(ours.values()))
    # What is asked for twice may come out of the browser's cache; the script cannot.
    assert ours["/app/js/app.js"] > 10_000
    assert sum(ours.values()) < _LIMIT_BYTES, ours


class _Inline(HTMLParser):
    """Collects what a strict policy forbids: code and styles between tags or in attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._within = tag
        self.found += [f"{tag} {name}" for name, _ in attrs if re.match(r"on|style$", name)]

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within in {"script", "style"} and data.strip():
            self.found.append(self._within)


async def test_the_policy_is_strict_and_nothing_is_inline(world: World) -> None:
    """Scripts and styles from here alone, none of them inline, none evaluated."""
    async with (
        aiohttp.ClientSession(world.tell.url) as session,
        session.get("/listen") as response,
    ):
        policy = dict(
            part.strip().partition(" ")[::2]
            for part in response.headers["Content-Security-Policy"].split(";")
        )
        page = await response.text()
    assert policy["default-src"] == "'none'"
    for name in ("script-src", "style-src", "connect-src"):
        assert policy[name] == "'self'"
    assert policy["base-uri"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in " ".join(policy.values())
    parser = _Inline()
    parser.feed(page)
    assert parser.found == []


async def test_the_player_comes_after_the_ticket(world: World, page: Page) -> None:
    """hls.js, larger than all the rest, is asked for once the button is there."""
    sale = await world.sell(timedelta(hours=3))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    async with page.expect_response(f"**{_PLAYER}hls.mjs"):
        await page.goto(sale.listen_url)
    player = next(index for index, path in enumerate(asked) if path.startswith(_PLAYER))
    assert asked.index("/tell/claims") < player
