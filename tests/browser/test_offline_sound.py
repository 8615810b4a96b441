"""What is heard without network, and while the sound goes over from the stream to the download."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from demo import browser as browsing
from demo.browser import LISTEN, Join, join, phone, read_join
from demo.sound import Recorder, SoundCard
from tests.browser.world import World, publish_code

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
SOON_MS = 30_000
# A film that only these tests publish: its tone has no pause in which a gap could hide.
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
        await expect(page.locator("[data-about=track]")).to_have_text(WHOLE, timeout=SOON_MS)
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


async def test_hand_over_from_the_stream_to_the_download(
    world: World, sounding_browser: Browser, recorder: Recorder
) -> None:
    """The download comes while she listens: no gap, no jump, in sync before and after."""
    await publish_code(
        world.folder / "media", VOICED_MOVIE_ID, first_second=11 * 60, seconds=4 * 60, voice=True
    )
    sale = await world.sell(timedelta(minutes=-12), VOICED_MOVIE_ID)
    context = await phone(sounding_browser)
    # She said that nothing is to be downloaded by itself.
    await context.add_init_script("localStorage.setItem('tell.data-use', 'never')")
    page = await context.new_page()
    joined = await join(page, recorder, sale.listen_url, listen_s=6)
    assert await page.evaluate(_SOURCE) == "stream"
    await page.locator("details.readiness summary").click()
    before = time.time()
    await page.get_by_role("button", name="Download it now").click()
    heard_source = page.locator("#sound")
    await expect(heard_source).to_have_attribute("data-source", "download", timeout=SOON_MS)
    after = time.time()
    await asyncio.sleep(4)
    heard = await asyncio.to_thread(read_join, recorder, joined.tapped_at)
    await context.close()
    await assert_in_sync(heard, sale.movie_start.timestamp())
    errors = [
        (mark.at, error)
        for mark, error in zip(
            heard.heard, heard.errors_ms(sale.movie_start.timestamp()), strict=True
        )
        if before - 2 <= mark.at <= after + 3
    ]
    jumps = [abs(b - a) for (_, a), (_, b) in itertools.pairwise(errors)]
    assert len(jumps) >= 4
    assert max(jumps) + heard.bound_s * 1000 <= JUMP_MS, f"{errors}, load {os.getloadavg()[0]:.1f}"
    assert longest_silence_ms(recorder, before, after + 1) <= JUMP_MS


def longest_silence_ms(recorder: Recorder, begin: float, end: float) -> float:
    """Longest stretch without sound between two instants of the host's clock, in 1 ms steps."""
    recording = recorder.so_far()
    first, last = (max(0, round(recording.position_at(at))) for at in (begin, end))
    samples = recording.samples[first:last]
    step = 48
    blocks = np.abs(samples[: len(samples) // step * step].reshape(-1, step)).max(axis=1)
    # The tone's peak is passed in each 2.3 ms: three blocks hold one, whatever its phase.
    loud = np.convolve(blocks > 0.2 * np.median(blocks), np.ones(3), mode="same") > 0
    longest = run = 0
    for heard in loud:
        run = 0 if heard else run + 1
        longest = max(longest, run)
    return float(longest)


async def test_listen_is_there_without_network_from_the_list(
    world: World, sounding_browser: Browser
) -> None:
    """Opened from the home screen without network: ticket, times and the button are there."""
    sale = await world.sell(timedelta(minutes=-12))
    context = await phone(sounding_browser)
    page = await context.new_page()
    await page.goto(sale.listen_url)
    await expect(page.locator("[data-about=track]")).to_have_text(WHOLE, timeout=SOON_MS)
    await page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    await world.tell.stop()
    try:
        await page.goto(f"{world.tell.url}/")
        await expect(page.get_by_role("heading", level=1, name="One Week")).to_be_visible()
        await expect(page.get_by_role("button", name=LISTEN, exact=True)).to_be_visible()
    finally:
        await world.restart_tell()
        await context.close()
