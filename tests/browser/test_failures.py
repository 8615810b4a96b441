"""Failure speaks: each has a sentence that says what to do."""

from __future__ import annotations

import asyncio
import itertools
import re
import signal
import sqlite3
import time
from contextlib import closing
from datetime import timedelta

import aiohttp
import pytest
from playwright.async_api import Page, Route, expect

from demo.browser import LISTEN, STOP
from tests.browser.axe import violations_in_all_looks
from tests.browser.faulty import FAILURE_ID, faulty_way
from tests.browser.listening import listen, press_listen, sounds_as_begun_at
from tests.browser.reading import said
from tests.browser.sentences import expect_alarm, expect_sentence
from tests.browser.world import MOVIE_MINUTES, UNDESCRIBED_MOVIE_ID, World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("world"),
    pytest.mark.usefixtures("listened_to"),
]

RUNNING = timedelta(minutes=-12)
# Its own address, so that Tell counts its tries apart from those of all other tests.
GUESSING_FROM = "127.0.0.77"
OFFLINE = (
    "There is no network. Turn it on or move to where there is some: Tell tries again by itself."
)
# What is buffered is played out in real time before the network is missed.
RUNS_OUT_MS = 180_000
# hls.js waits for a first byte for four seconds, five times, before it says that none comes.
_GIVES_UP_SOON = """
const set = window.setTimeout;
window.setTimeout = (run, ms, ...rest) =>
  set(run, window.impatient && ms === 4000 ? 500 : ms, ...rest);
"""
_STREAM_ALONE = "localStorage['tell.data-use'] = 'never';"


async def test_no_ticket_yet(world: World, page: Page) -> None:
    """Opened without a link and without a ticket, it says where the link is."""
    await page.goto(world.tell.url)
    await expect_sentence(
        page,
        "No ticket here yet",
        "Open the “Listen with Tell” link that came with your cinema ticket. "
        "It brings the ticket to this phone.",
    )


async def test_changed_link_is_refused(world: World, page: Page) -> None:
    """A claim code that Tell did not sign opens nothing, and says what to do."""
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url[:-3] + "xyz")
    await expect_sentence(
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
    await expect_sentence(
        page,
        "No network",
        "Tell cannot be reached. Turn on Wi-Fi or mobile data, then press Try again.",
    )
    await page.context.set_offline(False)
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("button", name=LISTEN, exact=True)).to_be_visible()


async def test_sold_but_not_yet_enriched(world: World, page: Page) -> None:
    """While the cinema's answer is missing it says to wait, and shows the ticket when it comes.

    The way to her other ticket is there then, however late Tell's list of them comes.
    """
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    await page.get_by_role("button", name=LISTEN, exact=True).wait_for()
    enriched = asyncio.Event()

    async def late(route: Route) -> None:
        await enriched.wait()
        await route.continue_()

    await page.route("**/tell/tickets", late)
    world.amc.process.send_signal(signal.SIGSTOP)
    try:
        _, listen_url = await world.post_purchase()
        await page.goto(listen_url)
        await expect_sentence(
            page,
            "Your ticket is on its way",
            "The cinema has told us of your ticket. Its film and times come in a moment. "
            "Keep this page open, there is nothing to do.",
        )
    finally:
        world.amc.process.send_signal(signal.SIGCONT)
    await expect(page.get_by_role("heading", level=1, name="One Week")).to_be_focused()
    enriched.set()
    await expect(page.get_by_role("button", name="All tickets")).to_be_visible()


async def test_film_without_description(world: World, page: Page) -> None:
    """A film for which nothing is published says so before anyone presses a button."""
    sale = await world.sell(timedelta(hours=2), UNDESCRIBED_MOVIE_ID)
    await page.goto(sale.listen_url)
    await expect_sentence(
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
    await expect_sentence(
        page,
        "This showing has ended",
        "One Week is over, and its description with it. "
        "For your next film, open the link that comes with its ticket.",
    )


async def test_cancelled_while_she_listens(world: World, page: Page) -> None:
    """A cancelled showing stops the sound and says so, at the next look."""
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    await listen(page)
    world.change_screening(sale.correlation_id, status="cancelled")
    # The page looks at once when the network comes back, and every 30 s else.
    await page.context.set_offline(True)
    await page.context.set_offline(False)
    await expect_sentence(
        page,
        "This showing is cancelled",
        "The cinema has cancelled One Week. Ask the cinema for another showing or your money "
        "back: a new ticket brings a new link.",
    )
    assert await page.evaluate("document.getElementById('sound').paused")


async def test_moved_start_moves_the_sound(world: World, page: Page) -> None:
    """A new movie_start from an event: the sound goes there, and it is told of as known."""
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    await press_listen(page)
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
    # No more by the schedule. How near it comes is heard in test_sound.py, which runs alone.
    await expect(page.locator("#status")).to_have_text(
        re.compile(r"^Playing(, in sync with the film\.|\. Coming into sync\.)$")
    )
    await sounds_as_begun_at(page, moved.timestamp())


async def test_too_many_devices(world: World, page: Page) -> None:
    """The sixth device is told to free one of the others."""
    sale = await world.sell(RUNNING)
    await world.claim_on_all_devices(sale.listen_url)
    await page.goto(sale.listen_url)
    await expect_sentence(
        page,
        "This ticket is in use on other devices",
        "As many devices as one ticket allows have it already. On one of them open Tell, "
        "then Settings, and erase everything there. Then press Try again here.",
    )


async def test_network_that_is_gone_at_the_tap_comes_back(world: World, page: Page) -> None:
    """Pressed without network it says so, keeps trying, and plays without a second press."""
    # A track that is on the phone already needs none.
    await page.add_init_script(_STREAM_ALONE)
    sale = await world.sell(timedelta(hours=3))
    await page.goto(sale.listen_url)
    await expect(page.get_by_role("button", name=LISTEN, exact=True)).to_be_visible()
    await page.context.set_offline(True)
    await page.get_by_role("button", name=LISTEN, exact=True).click()
    await expect_alarm(page, OFFLINE)
    await page.context.set_offline(False)
    await expect(page.locator("#status")).to_contain_text("Ready.")
    await expect(page.get_by_role("button", name=STOP, exact=True)).to_be_visible()


async def test_purchase_that_a_person_must_look_at(world: World, page: Page) -> None:
    """A showing that the cinema does not know: the staff get a number to look for."""
    correlation_id, listen_url = await world.post_purchase("st-of-nowhere")
    await page.goto(listen_url)
    await expect_sentence(
        page,
        "Your ticket needs a hand",
        "The cinema's answer about your showing does not fit your ticket. "
        f"Ask the staff, and give them this number: {correlation_id}.",
    )


async def test_ticket_that_is_taken_from_this_phone(world: World, page: Page) -> None:
    """She erased everything on another device: the sound stops here, and it says so."""
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    await listen(page)
    token = await page.evaluate("localStorage['tell.listener']")
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(world.tell.url) as session,
        session.delete("/tell/listener", headers=headers) as response,
    ):
        assert response.status == 204
    await page.context.set_offline(True)
    await page.context.set_offline(False)
    await expect_sentence(
        page,
        "This ticket is not on this phone",
        "Open the “Listen with Tell” link that came with your cinema ticket once more.",
    )
    assert await page.evaluate("document.getElementById('sound').paused")


async def test_too_many_wrong_links(world: World, page: Page) -> None:
    """An address that guesses has to wait, and a right link from there too: it says how long."""
    sale = await world.sell(RUNNING)
    async with faulty_way(world.tell.url, GUESSING_FROM) as way:
        refused = asyncio.Event()

        async def guess() -> None:
            # Without end: what slides out of the minute is used up at once.
            async with aiohttp.ClientSession(way.url) as session:
                for number in itertools.count():
                    body = {"claim_code": f"wrong{number}", "device_nonce": "n" * 22}
                    async with session.post("/tell/claims", json=body) as response:
                        if response.status == 429:
                            refused.set()

        guessing = asyncio.create_task(guess())
        try:
            await refused.wait()
            await page.goto(way.through(sale.listen_url))
            await expect_sentence(page, "Too many tries", "Wait a minute, then press Try again.")
        finally:
            guessing.cancel()
            await asyncio.wait([guessing])


async def test_tell_that_is_down_behind_its_proxy(world: World, page: Page) -> None:
    """A gateway's 502 has no number for the staff, so none is asked for; trying again helps."""
    sale = await world.sell(RUNNING)
    async with faulty_way(world.tell.url) as way:
        await page.goto(f"{way.url}/listen")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await world.tell.stop()
        try:
            fragment = way.through(sale.listen_url).partition("#")[2]
            await page.evaluate("hash => { location.hash = hash }", fragment)
            await expect_sentence(
                page,
                "Tell does not answer as it should",
                "It is not your ticket. Press Try again in a moment; "
                "what is on this phone already plays without Tell.",
            )
        finally:
            await world.restart_tell()
        await page.get_by_role("button", name="Try again").click()
        await expect(page.get_by_role("heading", level=1, name="One Week")).to_be_focused()


async def test_tell_that_fails(world: World, page: Page) -> None:
    """A table of its database is gone: there is a number, and it is in Tell's log."""
    sale = await world.sell(RUNNING)
    _rename_table(world, "claims", "claims_gone")
    try:
        await page.goto(sale.listen_url)
        heading = page.get_by_role("heading", level=1, name="Something went wrong at Tell")
        await expect(heading).to_be_focused()
        sentence = await page.get_by_role("main").get_by_role("paragraph").text_content()
        assert await violations_in_all_looks(page) == {}
    finally:
        _rename_table(world, "claims_gone", "claims")
    assert sentence is not None
    start, _, number = sentence.rstrip(".").rpartition(" ")
    assert start == ("Press Try again in a moment. If it stays so, tell the staff this number:")
    await said(page, sentence)
    assert number in world.tell.log.read_text(encoding="utf-8")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("heading", level=1, name="One Week")).to_be_focused()


async def test_sound_that_cannot_be_opened(world: World, page: Page) -> None:
    """Tell fails at the press: an alarm with a number for the staff; pressed again, it plays."""
    sale = await world.sell(RUNNING)
    async with faulty_way(world.tell.url) as way:
        way.failing = "/media/audio/"
        await page.goto(way.through(sale.listen_url))
        await page.get_by_role("button", name=LISTEN, exact=True).click()
        await expect_alarm(
            page,
            "The sound could not be opened. Press Listen to try again. "
            f"If it stays so, tell the staff this number: {FAILURE_ID}.",
        )
        way.failing = None
        await listen(page)


def _rename_table(world: World, name: str, other: str) -> None:
    """Rename a table in Tell's database."""
    with closing(sqlite3.connect(world.folder / "tell.db", timeout=10)) as database, database:
        database.execute(f"ALTER TABLE {name} RENAME TO {other}")


async def test_network_that_stalls_while_she_listens(world: World, page: Page) -> None:
    """What is buffered runs out: an alarm, another one when it stays so, and then it is back."""
    await page.add_init_script(_STREAM_ALONE + _GIVES_UP_SOON)
    sale = await world.sell(RUNNING)
    async with faulty_way(world.tell.url) as way:
        await page.goto(way.through(sale.listen_url))
        await listen(page)
        way.flows.clear()
        await page.evaluate("window.impatient = true")
        await expect_alarm(
            page,
            "The network is slow. Keep the earphone in: the sound comes back by itself.",
            timeout_ms=RUNS_OUT_MS,
        )
        await expect_alarm(page, OFFLINE, timeout_ms=RUNS_OUT_MS)
        await page.evaluate("window.impatient = false")
        way.flows.set()
        await expect(page.locator("#status")).to_contain_text("Playing", timeout=RUNS_OUT_MS)
