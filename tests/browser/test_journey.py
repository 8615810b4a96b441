"""From the link to sound, by keyboard and by accessibility tree alone."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from playwright.async_api import BrowserContext, Page, expect

from demo.browser import LISTEN, STOP, focus_by_keyboard
from tests.browser.listening import PATIENCE_S, listen
from tests.browser.world import FROM_THE_START_MOVIE_ID, World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("world"),
]

RUNNING = timedelta(minutes=-12)
_TRACKS_ON_THE_PHONE = """async () => {
  const root = await navigator.storage.getDirectory();
  let count = 0;
  for await (const name of (await root.getDirectoryHandle("tracks")).keys()) {
    if (name) count += 1;
  }
  return count;
}"""
_POSTERS_ON_THE_PHONE = """async () =>
  (await (await caches.open("tell-posters")).keys()).length"""
_TICKETS_WITH = """async (token) => {
  const headers = { Authorization: `Bearer ${token}` };
  return (await (await fetch("/tell/tickets", { headers })).json()).tickets;
}"""


async def test_whole_journey_by_keyboard_alone(world: World, page: Page) -> None:
    """Tab to Listen, Enter to hear, Enter again to stop: the button keeps the focus."""
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    await expect(page.get_by_role("heading", level=1, name="One Week")).to_be_focused()
    await focus_by_keyboard(page, LISTEN)
    await page.keyboard.press("Enter")
    stop = page.get_by_role("button", name=STOP, exact=True)
    await expect(stop).to_be_focused()
    await expect(stop).to_have_accessible_description(
        "Playing by the schedule, which may be minutes off."
    )
    assert await _is_playing(page)
    await page.keyboard.press("Space")
    listen = page.get_by_role("button", name=LISTEN, exact=True)
    await expect(listen).to_be_focused()
    await expect(listen).to_have_accessible_description("Stopped. Press Listen to join again.")
    assert not await _is_playing(page)


async def test_accessibility_tree_of_a_ticket(world: World, page: Page) -> None:
    """A screen reader finds the film, when it began, where it plays, and the one button."""
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    await expect(page.get_by_role("main")).to_match_aria_snapshot(
        f"""
        - main:
          - article:
            - img "Poster of One Week"
            - heading "One Week" [level=1]
            - paragraph: The film started 12 minutes ago.
            - term: Theater
            - definition: {sale.theater_name}
            - term: Auditorium
            - definition: "{sale.auditorium_number}"
            - term: Previews
            - definition: /\\d+:\\d+ [AP]M/
            - term: Film
            - definition: /\\d+:\\d+ [AP]M/
            - paragraph: Press Listen to join the film where it is.
            - button "Listen"
            - group: How well is it in sync?
        """
    )


async def test_claim_code_leaves_the_address(world: World, page: Page) -> None:
    """The secret is in neither the address nor the history once the ticket is there."""
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    await page.get_by_role("button", name=LISTEN, exact=True).wait_for()
    assert page.url == f"{world.tell.url}/listen?ticket={sale.correlation_id}"
    assert await page.evaluate("history.length") == 2


async def test_ticket_stays_on_the_phone(world: World, page: Page) -> None:
    """Opening Tell again, without the link, shows the ticket."""
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    await page.get_by_role("button", name=LISTEN, exact=True).wait_for()
    await page.goto(f"{world.tell.url}/")
    await expect(page.get_by_role("heading", level=1, name="One Week")).to_be_visible()


async def test_several_tickets_are_a_list(world: World, device: BrowserContext, page: Page) -> None:
    """Two links on one phone make a list to choose from, and a way back to it."""
    for starts_in in (RUNNING, timedelta(hours=3)):
        sale = await world.sell(starts_in)
        await page.goto(sale.listen_url)
        await page.get_by_role("button", name=LISTEN, exact=True).wait_for()
    await page.get_by_role("button", name="All tickets").click()
    await expect(page.get_by_role("heading", level=1, name="Your tickets")).to_be_focused()
    await expect(page.get_by_role("listitem")).to_have_count(2)
    await page.get_by_role("button", name="started 12 minutes ago").click()
    await expect(page.get_by_text("The film started 12 minutes ago.")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_role("heading", level=1, name="Your tickets")).to_be_visible()
    assert len(device.pages) == 1


async def test_she_erases_everything(world: World, page: Page) -> None:
    """Asked once more, Tell forgets her and her ticket, and the phone all that it kept."""
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    await expect(page.locator("[data-about=track]")).to_have_text("Ready, also without network.")
    await listen(page)
    token = await page.evaluate("localStorage['tell.listener']")
    await page.get_by_role("button", name="Settings", exact=True).click()
    await page.get_by_role("button", name="Erase everything", exact=True).click()
    keep = page.get_by_role("button", name="No, keep it")
    await expect(keep).to_be_focused()
    await keep.click()
    ask = page.get_by_role("button", name="Erase everything", exact=True)
    await expect(ask).to_be_focused()
    await ask.click()
    await page.get_by_role("button", name="Yes, erase everything").click()
    await expect(page.get_by_role("heading", level=1, name="Everything is erased")).to_be_focused()
    assert page.url == f"{world.tell.url}/listen"
    assert await page.evaluate("document.getElementById('sound').paused")
    assert await page.evaluate("Object.keys(localStorage)") == []
    assert await page.evaluate(_TRACKS_ON_THE_PHONE) == 0
    async with asyncio.timeout(PATIENCE_S):
        while await page.evaluate(_POSTERS_ON_THE_PHONE) > 0:
            await page.wait_for_timeout(100)
    assert await page.evaluate(_TICKETS_WITH, token) == []
    # Her link was hers alone, so the ticket went with her.
    await page.goto(sale.listen_url)
    await expect(
        page.get_by_role("heading", level=1, name="This link does not open a ticket")
    ).to_be_visible()


async def test_tap_before_the_film_arms_it(world: World, page: Page) -> None:
    """Pressed in the previews it counts down in words, and does not say "in sync"."""
    sale = await world.sell(timedelta(minutes=5), FROM_THE_START_MOVIE_ID)
    await page.goto(sale.listen_url)
    await page.get_by_role("button", name=LISTEN, exact=True).click()
    await expect(page.get_by_role("button", name=STOP, exact=True)).to_have_accessible_description(
        "Ready. By the schedule, which may be minutes off, the description starts by itself "
        "in 4 minutes. You can put the phone away."
    )
    assert not await _is_playing(page)


async def _is_playing(page: Page) -> bool:
    playing: bool = await page.evaluate("!document.getElementById('sound').paused")
    return playing
