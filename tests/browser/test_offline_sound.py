"""What is heard without network, and while the sound goes over from the stream to the download."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from bench import murmur
from bench.sync_scenarios import (
    STREAM_ALONE,
    hand_over_and_back,
    hand_over_to_download,
    largest_jump_s,
)
from demo import browser as browsing
from demo.browser import LISTEN, Join, join, phone, read_join
from demo.sound import Recorder, SoundCard
from tests.browser.world import World, publish_blocks

pytestmark = [
    pytest.mark.browser,
    pytest.mark.sound,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("sound"),
]

WHOLE = "Ready, also without network."
IN_SYNC_AFTER_S = 2.0
LIMIT_MS = 40.0
# A hand-over may neither jump by more than this nor be silent for longer.
JUMP_MS = 20.0
# A film that only these tests publish: it has no pause in which a gap could hide.
VOICED_MOVIE_ID = "the-general"

_SOURCE = "document.getElementById('sound').dataset.source"


@pytest.fixture
def recorder(sound_card: SoundCard) -> Iterator[Recorder]:
    """What the sound card plays during the test."""
    made = sound_card.recorder()
    made.start()
    yield made
    made.stop()


@asynccontextmanager
async def restartable(card: SoundCard, profile: Path) -> AsyncIterator[Page]:
    """A page of a browser whose profile stays when it is closed."""
    as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            profile,
            executable_path=browsing.executable(),
            env=dict(card.environment),
            args=[*browsing.ARGUMENTS, *as_root],
            ignore_default_args=["--mute-audio"],
            color_scheme="dark",
            locale="en-US",
        )
        browsing.patient(context)
        try:
            yield context.pages[0]
        finally:
            await context.close()


async def assert_in_sync(heard: Join, movie_start: float) -> None:
    """Two seconds after the tap every second that was heard is within the limit."""
    errors = heard.errors_ms(movie_start, since_tap_s=IN_SYNC_AFTER_S)
    assert len(errors) >= 3, heard
    worst = max(errors, key=abs)
    load = os.getloadavg()[0]
    assert abs(worst) + heard.bound_s * 1000 <= LIMIT_MS, f"{errors} ms, load {load:.1f}, {heard}"


async def test_airplane_mode(
    world: World, sound_card: SoundCard, recorder: Recorder, tmp_path: Path
) -> None:
    """Ticket, download, Tell stopped: in sync after a reload, and after the browser's restart."""
    sale = await world.sell(timedelta(minutes=-12))
    movie_start = sale.movie_start.timestamp()
    async with restartable(sound_card, tmp_path) as page:
        await page.goto(sale.listen_url)
        await expect(page.locator("[data-about=track]")).to_have_text(WHOLE)
        await page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
        address = page.url
        await world.tell.stop()
        try:
            await assert_in_sync(await join(page, recorder, address, listen_s=7), movie_start)
            assert await page.evaluate(_SOURCE) == "download"
            await page.close()
        except BaseException:
            await world.restart_tell()
            raise
    try:
        async with restartable(sound_card, tmp_path) as page:
            await assert_in_sync(await join(page, recorder, address, listen_s=7), movie_start)
            status = page.locator("#status")
            await expect(status).to_have_text(re.compile("^Playing by"))
            assert await page.evaluate(_SOURCE) == "download"
    finally:
        await world.restart_tell()


async def test_hand_over_to_the_download_and_back(
    world: World, sounding_browser: Browser, recorder: Recorder
) -> None:
    """The download comes while she listens, is found damaged, and comes anew: nobody hears it."""
    first_second = 11 * 60
    blocks = murmur.spoken(4 * 60, first_second)
    await publish_blocks(world.folder / "media", VOICED_MOVIE_ID, first_second, blocks)
    sale = await world.sell(timedelta(minutes=-12), VOICED_MOVIE_ID)
    context = await phone(sounding_browser)
    # She said that nothing is to be downloaded by itself.
    await context.add_init_script(STREAM_ALONE)
    page = await context.new_page()
    joined = await join(page, recorder, sale.listen_url, listen_s=6)
    assert await page.evaluate(_SOURCE) == "stream"
    seams = [await hand_over_to_download(page)]
    await asyncio.sleep(2)
    seams += await hand_over_and_back(page)
    await asyncio.sleep(4)
    recording = recorder.so_far()
    await context.close()
    movie_start = sale.movie_start.timestamp()
    heard = await asyncio.to_thread(read_join, recorder, joined.tapped_at)
    await assert_in_sync(heard, movie_start)
    for begin, end in seams:
        readings = murmur.read(recording, movie_start, begin - 1, end + 2)
        # A bend may pass too fast to be read; what it led to is.
        assert readings.count(None) <= len(readings) // 10, readings
        jump_ms = largest_jump_s(readings) * 1000
        assert jump_ms + heard.bound_s * 1000 <= JUMP_MS, f"load {os.getloadavg()[0]:.1f}"
        assert murmur.longest_gap_s(recording, begin - 1, end + 2) * 1000 <= JUMP_MS


async def test_listen_is_there_without_network_from_the_list(
    world: World, sounding_browser: Browser
) -> None:
    """Opened from the home screen without network: ticket, times and the button are there."""
    sale = await world.sell(timedelta(minutes=-12))
    context = await phone(sounding_browser)
    page = await context.new_page()
    await page.goto(sale.listen_url)
    await expect(page.locator("[data-about=track]")).to_have_text(WHOLE)
    await page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    await world.tell.stop()
    try:
        await page.goto(f"{world.tell.url}/")
        await expect(page.get_by_role("heading", level=1, name="One Week")).to_be_visible()
        await expect(page.get_by_role("button", name=LISTEN, exact=True)).to_be_visible()
    finally:
        await world.restart_tell()
        await context.close()
