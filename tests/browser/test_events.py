"""What happens at the cinema reaches the screen by itself, without waiting for a poll."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import timedelta

import aiohttp
import pytest
from playwright.async_api import Page, expect

from demo.browser import LISTEN, PATIENCE_MS
from demo.chain import Sale
from tests.browser.world import World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("world"),
]

# What the app asks for by itself each 30 s.
_ASKED = "**/tell/tickets/*"


async def press(world: World, showtime_id: str, action: str, body: dict[str, object]) -> None:
    """Press a button of AMC-clone's desk."""
    path = f"/api/screenings/{showtime_id}/{action}"
    async with (
        aiohttp.ClientSession(world.amc.url) as session,
        session.post(path, json=body) as response,
    ):
        assert response.status == 200, await response.text()


async def move(world: World, sale: Sale) -> str:
    """Move the showing to an auditorium that its theater opens for it; returns its number.

    The others may all be taken: every test of the folder sells in the same chain.
    """
    with closing(sqlite3.connect(world.folder / "amc.db", timeout=10)) as database, database:
        theater_id, count = database.execute(
            "SELECT theaters.id, count(*) FROM theaters"
            " JOIN auditoriums ON location_id = theaters.id WHERE theaters.name = ?",
            (sale.theater_name,),
        ).fetchone()
        number = str(100 + count)
        database.execute(
            "INSERT INTO auditoriums (location_id, number) VALUES (?, ?)", (theater_id, number)
        )
    await press(world, sale.showtime_id, "move", {"auditorium_number": number})
    return number


async def test_a_ticket_follows_the_cinema_s_desk(world: World, page: Page) -> None:
    """Delayed, started, moved, cancelled: each is pushed, and needs no asking."""
    sale = await world.sell(timedelta(minutes=5))
    async with page.expect_response(re.compile("/tell/events$")):
        await page.goto(sale.listen_url)
    await page.get_by_role("button", name=LISTEN, exact=True).wait_for()
    when = page.locator("p.when")
    await page.route(_ASKED, lambda route: route.abort())
    await press(world, sale.showtime_id, "delay", {"minutes": 90})
    await expect(when).to_contain_text("1 hour")
    number = await move(world, sale)
    definition = page.get_by_role("definition").filter(has_text=re.compile(f"^{number}$"))
    await expect(definition).to_be_visible()
    await press(world, sale.showtime_id, "start", {})
    await expect(page.get_by_role("main")).to_contain_text("is starting")
    await press(world, sale.showtime_id, "cancel", {})
    heading = page.get_by_role("heading", level=1, name="This showing is cancelled")
    await expect(heading).to_be_visible()


async def test_it_hears_again_after_tell_was_away(world: World, page: Page) -> None:
    """The line is cut, the app comes back by itself, and hears of what happens then."""
    sale = await world.sell(timedelta(minutes=5))
    await page.goto(sale.listen_url)
    await page.get_by_role("button", name=LISTEN, exact=True).wait_for()
    await world.tell.stop()
    async with page.expect_response(re.compile("/tell/events$"), timeout=PATIENCE_MS):
        await world.restart_tell()
    await page.route(_ASKED, lambda route: route.abort())
    await press(world, sale.showtime_id, "delay", {"minutes": 90})
    when = page.locator("p.when")
    await expect(when).to_contain_text("1 hour")
