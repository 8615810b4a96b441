"""The press of Listen and what comes of it: waited for as long as a busy machine may take.

A passing test never waits so long. How soon the sound is there and how near it is are promises of
their own, held by the tests marked `sound`, which run alone.
"""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, expect

from demo.browser import LISTEN, PATIENCE_MS
from tests.browser.world import MOVIE_STARTS_S

PATIENCE_S = PATIENCE_MS / 1000
# The film's place, not its sync: what a test moves is moved by ten times this and more.
NEAR_S = 1.0


async def press_listen(page: Page) -> None:
    """Press the button, once it is there."""
    await page.get_by_role("button", name=LISTEN, exact=True).click()


async def playing(page: Page) -> None:
    """Wait until the app says that it plays."""
    await expect(page.locator("#status")).to_contain_text("Playing")


async def listen(page: Page) -> None:
    """Press Listen, and hear."""
    await press_listen(page)
    await playing(page)


async def film_time(page: Page, track_starts_s: float = MOVIE_STARTS_S) -> tuple[float, float]:
    """Second of the film that sounds, and the host's clock at that moment, read in one."""
    heard_s, wall_ms = await page.evaluate(
        "[document.getElementById('sound').currentTime, Date.now()]"
    )
    return heard_s + track_starts_s, wall_ms / 1000


async def sounds_as_begun_at(
    page: Page, movie_start: float, track_starts_s: float = MOVIE_STARTS_S
) -> None:
    """Wait until what sounds is a film that began at *movie_start*, seconds of the host's clock.

    Raises TimeoutError where it never is.
    """
    film_s, now = 0.0, movie_start
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                film_s, now = await film_time(page, track_starts_s)
                if abs(film_s - (now - movie_start)) < NEAR_S:
                    return
                await page.wait_for_timeout(100)
    except TimeoutError:
        true_s = now - movie_start
        raise TimeoutError(f"at {film_s:.1f} s of the film, not at {true_s:.1f}") from None
