"""What she sets herself, and what happens to the sound from outside."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from demo.browser import LISTEN, STOP
from tests.browser.world import FROM_THE_START_MOVIE_ID, World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("world"),
]

RUNNING = timedelta(minutes=-12)
TRACK_STARTS_S = 11 * 60
SUMMARY = "If the sound does not fit the film"
PLAYING_OWN = "Playing from the start that you set."
# Far more than the app needs, far less than a nudge: a busy machine shall not fail it.
NEAR_S = 0.5
PATIENCE_S = 20


async def _open(page: Page, url: str) -> None:
    await page.goto(url)
    await page.get_by_text(SUMMARY).click()


async def _press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).click()


async def _film_s(page: Page, track_starts_s: float) -> tuple[float, float]:
    """Film time that sounds, and the host's clock at that moment."""
    heard_s, wall_ms = await page.evaluate(
        "[document.getElementById('sound').currentTime, Date.now()]"
    )
    return heard_s + track_starts_s, wall_ms / 1000


async def test_a_nudge_moves_the_sound_and_is_kept(world: World, page: Page) -> None:
    """Eleven seconds later by ear, and after a reload still: and never called in sync."""
    sale = await world.sell(RUNNING)
    await _open(page, sale.listen_url)
    await _press(page, LISTEN)
    await expect(page.locator("#status")).to_contain_text("Playing")
    await _press(page, "Description 10 seconds later")
    await _press(page, "Description 1 second later")
    moved = page.get_by_text("You moved the description 11 seconds later.", exact=True)
    await expect(moved.first).to_be_visible()
    await expect(page.locator("#status")).to_have_text(PLAYING_OWN)
    await _expect_at(page, TRACK_STARTS_S, sale.movie_start.timestamp() + 11)
    await page.reload()
    await page.get_by_text(SUMMARY).click()
    await expect(moved.first).to_be_visible()
    await _press(page, "Forget what I set")
    await expect(page.get_by_text("You have not moved the description.").first).to_be_visible()


async def _expect_at(page: Page, track_starts_s: float, movie_start: float) -> None:
    """Wait until what sounds is the film of that start."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            film_s, now = await _film_s(page, track_starts_s)
            if abs(film_s - (now - movie_start)) < NEAR_S:
                return
            await page.wait_for_timeout(100)


async def test_the_film_starts_now_without_network(world: World, page: Page) -> None:
    """Her own mark is the film's start, at once, though Tell cannot be reached."""
    sale = await world.sell(timedelta(minutes=4), FROM_THE_START_MOVIE_ID)
    await _open(page, sale.listen_url)
    await _press(page, LISTEN)
    await expect(page.locator("#status")).to_contain_text("Ready. By the schedule")
    # Opened and buffered while there was a network.
    async with asyncio.timeout(PATIENCE_S):
        while not await page.evaluate("document.getElementById('sound').buffered.length"):
            await page.wait_for_timeout(100)
    await page.context.set_offline(True)
    try:
        await _press(page, "The film starts now")
        marked = time.time()
        await expect(page.locator("#status")).to_have_text(PLAYING_OWN)
        await _expect_at(page, 0, marked)
    finally:
        await page.context.set_offline(False)


async def test_a_trim_goes_by_steps_and_is_remembered(world: World, page: Page) -> None:
    """Two steps earlier and one back, kept over a reload for this output."""
    sale = await world.sell(RUNNING)
    await _open(page, sale.listen_url)
    for name in ("10 milliseconds earlier", "10 milliseconds earlier", "10 milliseconds later"):
        await _press(page, name)
    said = page.locator(".adjust").get_by_text("The sound is played 10 milliseconds earlier.")
    await expect(said).to_be_visible()
    await page.reload()
    await page.get_by_text(SUMMARY).click()
    await expect(said).to_be_visible()


async def test_tapping_along_sets_the_trim(world: World, page: Page) -> None:
    """Even taps 150 ms late give a trim of 180: people tap 30 ms ahead of what they hear."""
    sale = await world.sell(timedelta(hours=2))
    # A listener who hears each click 150 ms late, and taps evenly.
    await page.add_init_script(
        """
        const play = HTMLMediaElement.prototype.play;
        HTMLMediaElement.prototype.play = function () {
          if (this.id !== "sound" && !this.loop) {
            const tap = () => {
              const button = document.querySelector("button.tap");
              button.dispatchEvent(new PointerEvent("pointerdown"));
            };
            const listen = () => {
              // Its time is true once it runs.
          if (this.currentTime < 1) return requestAnimationFrame(listen);
              const zero = performance.now() - this.currentTime * 1000;
              for (let at = 1500; at < 12700; at += 700) {
                setTimeout(tap, zero + at + 150 - performance.now());
              }
            };
            listen();
          }
          return play.call(this);
        };
        """
    )
    await _open(page, sale.listen_url)
    await _press(page, "Start the clicks")
    await expect(page.get_by_role("button", name="Tap", exact=True)).to_be_visible()
    said = page.locator(".adjust").get_by_text("milliseconds earlier.")
    await expect(said).to_be_visible(timeout=30_000)
    text = await said.text_content()
    assert text is not None
    trim_ms = int(text.split()[4])
    assert 100 <= trim_ms <= 300


async def test_clicks_are_not_mixed_with_the_description(world: World, page: Page) -> None:
    """While she listens it says to stop first."""
    sale = await world.sell(RUNNING)
    await _open(page, sale.listen_url)
    await _press(page, LISTEN)
    await expect(page.get_by_role("button", name=STOP, exact=True)).to_be_visible()
    await _press(page, "Start the clicks")
    await expect(
        page.locator(".calibrate").get_by_text("Press Stop first, then start the clicks.")
    ).to_be_visible()


async def test_after_a_call_the_sound_is_where_the_film_is(world: World, page: Page) -> None:
    """Paused from outside it says so; played again from outside it goes on in its place."""
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    await _press(page, LISTEN)
    await expect(page.locator("#status")).to_contain_text("Playing")
    await _expect_at(page, TRACK_STARTS_S, sale.movie_start.timestamp())
    await page.evaluate("document.getElementById('sound').pause()")
    await expect(page.locator("#status")).to_contain_text("Something paused the sound")
    await expect(page.get_by_role("button", name=LISTEN, exact=True)).to_be_visible()
    await page.wait_for_timeout(2000)
    await page.evaluate("document.getElementById('sound').play()")
    await expect(page.locator("#status")).to_contain_text("Playing")
    await expect(page.get_by_role("button", name=STOP, exact=True)).to_be_visible()
    await _expect_at(page, TRACK_STARTS_S, sale.movie_start.timestamp())
