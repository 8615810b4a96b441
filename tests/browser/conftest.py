"""One Tell, one AMC-clone and one Chromium for all tests of this folder, on one event loop."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from demo import browser as browsing
from demo import sound
from demo.sound import SoundCard
from tests.browser.reading import EAR
from tests.browser.world import (
    FROM_THE_START_MOVIE_ID,
    MOVIE_ENDS_S,
    MOVIE_ID,
    MOVIE_QUIET_S,
    MOVIE_STARTS_S,
    World,
    publish_code,
    running_world,
)

# Playwright's own five seconds are too few where other tests take the processor.
expect.set_options(timeout=browsing.PATIENCE_MS)


def _require(missing: str | None) -> None:
    """Skip, loudly, where a part cannot be had; fail where CI promises to have it."""
    if missing is None:
        return
    if "CI" in os.environ:
        pytest.fail(f"CI is set, so this must run: {missing}")
    pytest.skip(f"NOT TESTED: {missing}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Tell and AMC-clone, with two tracks of the time code (see tests/browser/world.py)."""
    folder = tmp_path_factory.mktemp("world")
    media = folder / "media"
    seconds = MOVIE_ENDS_S - MOVIE_STARTS_S
    quiet = range(MOVIE_QUIET_S, MOVIE_ENDS_S)
    await publish_code(media, MOVIE_ID, MOVIE_STARTS_S, seconds, silent=quiet)
    await publish_code(media, FROM_THE_START_MOVIE_ID, first_second=0, seconds=60)
    async with running_world(folder) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def silent_browser() -> AsyncIterator[Browser]:
    """Chromium without sound."""
    _require(browsing.available())
    async with browsing.chromium() as running:
        yield running


@pytest.fixture(scope="session")
def sound_card() -> Iterator[SoundCard]:
    """The private sound card."""
    _require(sound.available())
    with sound.sound_card() as card:
        yield card


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sounding_browser(sound_card: SoundCard) -> AsyncIterator[Browser]:
    """Chromium that plays into the sound card."""
    _require(browsing.available())
    async with browsing.chromium(sound_card) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def device(silent_browser: Browser) -> AsyncIterator[BrowserContext]:
    """A new phone: nothing is remembered on it."""
    context = await browsing.phone(silent_browser)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(device: BrowserContext) -> AsyncIterator[Page]:
    """A page of it; an error in the app's own code fails the test."""
    made = await device.new_page()
    errors: list[str] = []
    made.on("pageerror", lambda error: errors.append(str(error)))
    # A refusal by the Content-Security-Policy is told on the console alone.
    made.on(
        "console",
        lambda message: errors.append(message.text) if "Security" in message.text else None,
    )
    yield made
    assert errors == []


@pytest_asyncio.fixture(loop_scope="session")
async def listened_to(page: Page) -> None:
    """The page notes all that is said on it (tests/browser/reading.py)."""
    await page.add_init_script(EAR)
