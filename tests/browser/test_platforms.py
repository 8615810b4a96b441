"""Browsers that lack a part: what is missing is taken away before the app loads."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from demo.browser import PATIENCE_MS
from demo.chain import Sale
from tests.browser.listening import listen, press_listen, sounds_as_begun_at
from tests.browser.world import World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("world"),
]

_RUNNING = timedelta(minutes=-12)
_STREAM_ALONE = "localStorage.setItem('tell.data-use', 'never');"
_NO_MEDIA_SOURCE = """
delete window.MediaSource; delete window.ManagedMediaSource; delete window.WebKitMediaSource;
"""
_NO_HLS = """
const asked = HTMLMediaElement.prototype.canPlayType;
HTMLMediaElement.prototype.canPlayType = function (type) {
  return /mpegurl/i.test(type) ? "" : asked.call(this, type);
};
"""
# What iPhones have since iOS 17.1: the managed kind alone (Media Source Extensions 2, 6).
_MANAGED_ALONE = """
window.ManagedMediaSource = class extends MediaSource { get streaming() { return true; } };
window.ManagedSourceBuffer = window.SourceBuffer;
delete window.MediaSource;
"""


async def _listen(page: Page, sale: Sale, script: str) -> None:
    await page.add_init_script(_STREAM_ALONE + script)
    await page.goto(sale.listen_url)
    await listen(page)


async def _address(page: Page) -> str:
    address: str = await page.evaluate("document.getElementById('sound').currentSrc")
    return address


async def test_without_media_source_its_own_hls_plays(world: World, page: Page) -> None:
    """As on iPhones before iOS 17.1; and hls.js, which is of no use there, is not fetched."""
    sale = await world.sell(_RUNNING)
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    await _listen(page, sale, _NO_MEDIA_SOURCE)
    await sounds_as_begun_at(page, sale.movie_start.timestamp())
    assert (await _address(page)).endswith("/main.m3u8")
    worker = await page.evaluate("Boolean(navigator.serviceWorker.controller)")
    assert worker or not [url for url in fetched if url.endswith("hls.mjs")]


async def test_without_any_hls_the_file_plays(world: World, page: Page) -> None:
    """By ranges of the rendition that is clear and no more; the report says which."""
    sale = await world.sell(_RUNNING)
    async with page.expect_request("**/tell/playback", timeout=PATIENCE_MS) as coming:
        await _listen(page, sale, _NO_MEDIA_SOURCE + _NO_HLS)
        await sounds_as_begun_at(page, sale.movie_start.timestamp())
    assert (await _address(page)).endswith("/aac-64k.mp4")
    told = (await coming.value).post_data_json
    assert told is not None
    assert (told["source"], told["rendition"]) == ("progressive", "aac-64k")


async def test_managed_media_source_alone_plays(world: World, page: Page) -> None:
    """hls.js takes it, and the element may not be cast, which that kind asks for."""
    sale = await world.sell(_RUNNING)
    await _listen(page, sale, _MANAGED_ALONE)
    await sounds_as_begun_at(page, sale.movie_start.timestamp())
    assert (await _address(page)).startswith("blob:")
    assert await page.evaluate("document.getElementById('sound').disableRemotePlayback")


async def test_without_a_codec_it_says_what_to_do(world: World, page: Page) -> None:
    """Nothing that Tell has can be decoded: another browser is named, and nothing spins."""
    sale = await world.sell(_RUNNING)
    await page.add_init_script(
        _STREAM_ALONE + "MediaSource.isTypeSupported = () => false;"
        "HTMLMediaElement.prototype.canPlayType = () => '';"
    )
    await page.goto(sale.listen_url)
    await press_listen(page)
    await expect(page.locator("#status")).to_contain_text("This browser cannot play")
