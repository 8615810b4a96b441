"""What she sets herself, and what happens to the sound from outside."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from demo.browser import LISTEN, STOP
from tests.browser.axe import violations_in_all_looks
from tests.browser.listening import PATIENCE_S, film_time, listen, playing, sounds_as_begun_at
from tests.browser.world import FROM_THE_START_MOVIE_ID, World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("world"),
]

RUNNING = timedelta(minutes=-12)
SUMMARY = "If the sound does not fit the film"
PLAYING_OWN = "Playing from the start that you set."
# How long a press takes to reach the page is not the app's.
_NOTE_THE_PRESS = """() => addEventListener(
  "click", () => (window.pressedAtMs = Date.now()), { capture: true })"""
# She hears each click 150 ms late and taps evenly. The clicks are begun as real sound, so slow that
# it does not end by itself; when she taps along, all of it is over at once, and each tap has the
# time at which it would have been.
_TAPS_LATE = """
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () {
  const begun = play.call(this);
  if (this.id === "sound" || this.loop) return begun;
  this.playbackRate = 0.0625;
  const zeroMs = performance.now() - 20_000;
  Object.defineProperty(this, "currentTime", { get: () => (performance.now() - zeroMs) / 1000 });
  const tapAlong = () => {
    const button = document.querySelector("button.tap");
    for (let at = 2800; at < 14_000; at += 700) {
      const tap = new PointerEvent("pointerdown");
      Object.defineProperty(tap, "timeStamp", { value: zeroMs + at + 150 });
      button.dispatchEvent(tap);
      this.dispatchEvent(new Event("timeupdate"));
    }
    this.dispatchEvent(new Event("ended"));
  };
  return begun.then(() => void (window.tapAlong = tapAlong));
};
"""


async def _open(page: Page, url: str) -> None:
    await page.goto(url)
    await page.get_by_text(SUMMARY).click()


async def _press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).click()


async def test_a_nudge_moves_the_sound_and_is_kept(world: World, page: Page) -> None:
    """Eleven seconds later by ear, and after a reload still: and never called in sync."""
    sale = await world.sell(RUNNING)
    await _open(page, sale.listen_url)
    await listen(page)
    await _press(page, "Description 10 seconds later")
    await _press(page, "Description 1 second later")
    moved = page.get_by_text("You moved the description 11 seconds later.", exact=True)
    await expect(moved.first).to_be_visible()
    await expect(page.locator("#status")).to_have_text(PLAYING_OWN)
    await sounds_as_begun_at(page, sale.movie_start.timestamp() + 11)
    await page.reload()
    await page.get_by_text(SUMMARY).click()
    await expect(moved.first).to_be_visible()
    await _press(page, "Forget what I set")
    await expect(page.get_by_text("You have not moved the description.").first).to_be_visible()


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
        await page.evaluate(_NOTE_THE_PRESS)
        await _press(page, "The film starts now")
        await expect(page.locator("#status")).to_have_text(PLAYING_OWN)
        marked = await page.evaluate("window.pressedAtMs") / 1000
        await sounds_as_begun_at(page, marked, track_starts_s=0)
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
    await page.add_init_script(_TAPS_LATE)
    await _open(page, sale.listen_url)
    await _press(page, "Start the clicks")
    await expect(page.get_by_role("button", name="Tap", exact=True)).to_be_visible()
    assert await violations_in_all_looks(page) == {}
    async with asyncio.timeout(PATIENCE_S):
        while not await page.evaluate("'tapAlong' in window"):
            await page.wait_for_timeout(100)
    await page.evaluate("tapAlong()")
    said = page.locator(".adjust").get_by_text("The sound is played 180 milliseconds earlier.")
    await expect(said).to_be_visible()


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
    await listen(page)
    await sounds_as_begun_at(page, sale.movie_start.timestamp())
    await page.evaluate("document.getElementById('sound').pause()")
    await expect(page.locator("#status")).to_contain_text("Something paused the sound")
    await expect(page.get_by_role("button", name=LISTEN, exact=True)).to_be_visible()
    assert await violations_in_all_looks(page) == {}
    # Where it was paused is behind the film by more than the app may be off.
    held_s, _ = await film_time(page)
    async with asyncio.timeout(PATIENCE_S):
        while time.time() - sale.movie_start.timestamp() < held_s + 2:
            await page.wait_for_timeout(100)
    await page.evaluate("document.getElementById('sound').play()")
    await playing(page)
    await expect(page.get_by_role("button", name=STOP, exact=True)).to_be_visible()
    await sounds_as_begun_at(page, sale.movie_start.timestamp())
