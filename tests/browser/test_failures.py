"""Failure speaks: each has a sentence that says what to do."""

from __future__ import annotations

import signal
import time
from datetime import timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from demo.browser import LISTEN, STOP, phone
from tests.browser.world import MOVIE_MINUTES, UNDESCRIBED_MOVIE_ID, World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("world"),
]

RUNNING = timedelta(minutes=-12)


async def _expect_sentence(page: Page, title: str, text: str) -> None:
    """The screen has this heading, focused, and this sentence, which is announced too."""
    await expect(page.get_by_role("heading", level=1, name=title)).to_be_focused()
    await expect(page.get_by_role("main").get_by_role("paragraph")).to_have_text(text)


async def test_no_ticket_yet(world: World, page: Page) -> None:
    """Opened without a link and without a ticket, it says where the link is."""
    await page.goto(world.tell.url)
    await _expect_sentence(
        page,
        "No ticket here yet",
        "Open the “Listen with Tell” link that came with your cinema ticket. "
        "It brings the ticket to this phone.",
    )


async def test_changed_link_is_refused(world: World, page: Page) -> None:
    """A claim code that Tell did not sign opens nothing, and says what to do."""
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url[:-3] + "xyz")
    await _expect_sentence(
        page,
        "This link does not open a ticket",
        "The link is incomplete or was changed. Open “Listen with Tell” in the cinema's app "
        "again, or ask who sent it for the whole link.",
    )


async def test_no_network_and_try_again(world: World, page: Page) -> None:
    """Without network it says so; the button tries again, and the same link then works."""
    sale = await world.sell(RUNNING)
    await page.goto(world.tell.url)
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await page.context.set_offline(True)
    await page.evaluate("hash => { location.hash = hash }", sale.listen_url.partition("#")[2])
    await _expect_sentence(
        page,
        "No network",
        "Tell cannot be reached. Turn on Wi-Fi or mobile data, then press Try again.",
    )
    await page.context.set_offline(False)
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("button", name=LISTEN, exact=True)).to_be_visible()


async def test_sold_but_not_yet_enriched(world: World, page: Page) -> None:
    """While the cinema's answer is missing it says to wait, and shows the ticket when it comes."""
    world.amc.process.send_signal(signal.SIGSTOP)
    try:
        _, listen_url = await world.post_purchase()
        await page.goto(listen_url)
        await _expect_sentence(
            page,
            "Your ticket is on its way",
            "The cinema has told us of your ticket. Its film and times come in a moment. "
            "Keep this page open, there is nothing to do.",
        )
    finally:
        world.amc.process.send_signal(signal.SIGCONT)
    await expect(page.get_by_role("heading", level=1, name="One Week")).to_be_focused(
        timeout=20_000
    )


async def test_film_without_description(world: World, page: Page) -> None:
    """A film for which nothing is published says so before anyone presses a button."""
    sale = await world.sell(timedelta(hours=2), UNDESCRIBED_MOVIE_ID)
    await page.goto(sale.listen_url)
    await _expect_sentence(
        page,
        "No description for this film",
        "There is no audio description for Charade at Tell. "
        "Ask the cinema's staff whether they have a receiver for it.",
    )


async def test_film_that_is_over(world: World, page: Page) -> None:
    """After credits_end there is nothing to press."""
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    await expect(page.get_by_role("button", name=LISTEN, exact=True)).to_be_visible()
    ended = round((time.time() - 60) * 1e6)
    world.change_screening(
        sale.correlation_id, movie_start=ended - MOVIE_MINUTES * 60_000_000, credits_end=ended
    )
    await page.reload()
    await _expect_sentence(
        page,
        "This showing has ended",
        "One Week is over, and its description with it. "
        "For your next film, open the link that comes with its ticket.",
    )


async def test_cancelled_while_she_listens(world: World, page: Page) -> None:
    """A cancelled showing stops the sound and says so, at the next look."""
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    await page.get_by_role("button", name=LISTEN, exact=True).click()
    await expect(page.locator("#status")).to_contain_text("Playing")
    world.change_screening(sale.correlation_id, status="cancelled")
    # The page looks at once when the network comes back, and every 30 s else.
    await page.context.set_offline(True)
    await page.context.set_offline(False)
    await _expect_sentence(
        page,
        "This showing is cancelled",
        "The cinema has cancelled One Week. Ask the cinema for another showing or your money "
        "back: a new ticket brings a new link.",
    )
    assert await page.evaluate("document.getElementById('sound').paused")


async def test_moved_start_moves_the_sound(world: World, page: Page) -> None:
    """A new movie_start from an event: the sound goes there, and may now be called in sync."""
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    await page.get_by_role("button", name=LISTEN, exact=True).click()
    await expect(page.locator("#status")).to_have_text(
        "Playing by the schedule, which may be minutes off."
    )
    moved = sale.movie_start + timedelta(seconds=20)
    world.change_screening(
        sale.correlation_id,
        movie_start=round(moved.timestamp() * 1e6),
        movie_start_source="partner_event",
        movie_start_bound_ms=5,
    )
    await page.context.set_offline(True)
    await page.context.set_offline(False)
    # Waited for, not timed: with other tests beside it the sound finds its place more slowly.
    await expect(page.locator("#status")).to_have_text(
        "Playing, in sync with the film.", timeout=30_000
    )
    track_s = await page.evaluate("document.getElementById('sound').currentTime")
    film_s = time.time() - moved.timestamp()
    assert abs(track_s + 11 * 60 - film_s) < 1.0


async def test_too_many_devices(world: World, silent_browser: Browser) -> None:
    """The sixth device is told to free one of the others."""
    sale = await world.sell(RUNNING)
    for number in range(6):
        context = await phone(silent_browser)
        page = await context.new_page()
        await page.goto(sale.listen_url)
        if number < 5:
            await expect(page.get_by_role("button", name=LISTEN, exact=True)).to_be_visible()
        else:
            await _expect_sentence(
                page,
                "This ticket is in use on other devices",
                "As many devices as one ticket allows have it already. Open Tell on one of them "
                "and remove the ticket there, then press Try again.",
            )
        await context.close()


async def test_network_that_is_gone_at_the_tap_comes_back(world: World, page: Page) -> None:
    """Pressed without network it says so, keeps trying, and plays without a second press."""
    sale = await world.sell(timedelta(hours=3))
    await page.goto(sale.listen_url)
    await expect(page.get_by_role("button", name=LISTEN, exact=True)).to_be_visible()
    await page.context.set_offline(True)
    await page.get_by_role("button", name=LISTEN, exact=True).click()
    await expect(page.locator("#status")).to_have_text(
        "There is no network. Turn it on or move to where there is some: "
        "Tell tries again by itself."
    )
    await page.context.set_offline(False)
    await expect(page.locator("#status")).to_contain_text("Ready.", timeout=10_000)
    await expect(page.get_by_role("button", name=STOP, exact=True)).to_be_visible()
