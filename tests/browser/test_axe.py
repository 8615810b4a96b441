"""axe-core on the app's screens and on AMC-clone's pages: no violation.

What is the matter and what to do about it is looked at where it is made: test_failures.py,
test_offline.py and test_adjusting.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from demo.browser import LISTEN, STOP
from tests.browser.axe import violations, violations_in_all_looks
from tests.browser.listening import listen
from tests.browser.world import FROM_THE_START_MOVIE_ID, UNDESCRIBED_MOVIE_ID, World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("world"),
]

RUNNING = timedelta(minutes=-12)
# So long before the film that the page may be light.
LATER = timedelta(hours=3)


# How each screen is come to. A new screen is one function and one line of SCREENS below.


async def _ticket(world: World, page: Page, starts_in: timedelta = RUNNING) -> None:
    sale = await world.sell(starts_in)
    await page.goto(sale.listen_url)
    await page.get_by_role("button", name=LISTEN, exact=True).wait_for()
    await expect(page.locator("[data-about=track]")).to_be_attached()


async def _ticket_for_later(world: World, page: Page) -> None:
    await _ticket(world, page, LATER)


async def _listening(world: World, page: Page) -> None:
    await _ticket(world, page)
    await listen(page)


async def _stopped(world: World, page: Page) -> None:
    await _listening(world, page)
    await page.get_by_role("button", name=STOP, exact=True).click()
    await expect(page.locator("#status")).to_contain_text("Stopped")


async def _waiting(world: World, page: Page) -> None:
    sale = await world.sell(timedelta(minutes=5), FROM_THE_START_MOVIE_ID)
    await page.goto(sale.listen_url)
    await page.get_by_role("button", name=LISTEN, exact=True).click()
    await expect(page.locator("#status")).to_contain_text("Ready.")


async def _all_opened(world: World, page: Page) -> None:
    """The ticket with everything that can be unfolded, and the question of the sound test."""
    await _ticket(world, page, LATER)
    for summary in await page.locator("main details > summary").all():
        await summary.click()
    await page.get_by_role("button", name="Test the sound").click()
    yes = page.get_by_role("button", name="Yes, I heard them")
    await expect(yes).to_be_focused()


async def _settings(world: World, page: Page) -> None:
    """With a track that is stored, and can be removed."""
    await _ticket(world, page, LATER)
    whole = page.get_by_text("Ready, also without network.").first
    await expect(whole).to_be_attached()
    await page.get_by_role("button", name="Settings", exact=True).click()
    await _titled(page, "Settings")
    await expect(page.get_by_role("button", name="Remove One Week")).to_be_visible()


async def _erasing(world: World, page: Page) -> None:
    await _settings(world, page)
    await page.get_by_role("button", name="Erase everything", exact=True).click()
    await expect(page.get_by_role("button", name="No, keep it")).to_be_focused()


async def _erased(world: World, page: Page) -> None:
    await _erasing(world, page)
    await page.get_by_role("button", name="Yes, erase everything").click()
    await _titled(page, "Everything is erased")


async def _several(world: World, page: Page) -> None:
    titles = {UNDESCRIBED_MOVIE_ID: "No description for this film", "one-week": "One Week"}
    for movie_id, title in titles.items():
        sale = await world.sell(timedelta(hours=2), movie_id)
        await page.goto("about:blank")
        await page.goto(sale.listen_url)
        await _titled(page, title)
    await page.get_by_role("button", name="All tickets").click()
    await expect(page.get_by_role("listitem")).to_have_count(2)


async def _opening(world: World, page: Page) -> None:
    """The link's answer does not come."""
    await page.route("**/tell/claims", lambda _: None)
    await page.goto(f"{world.tell.url}/listen#some-code")
    await _titled(page, "Opening your ticket")


async def _titled(page: Page, title: str) -> None:
    heading = page.get_by_role("heading", level=1, name=title)
    await expect(heading).to_be_visible()


SCREENS: dict[str, Callable[[World, Page], Awaitable[None]]] = {
    "ticket": _ticket,
    "ticket for later": _ticket_for_later,
    "listening": _listening,
    "stopped": _stopped,
    "waiting for the film": _waiting,
    "everything unfolded": _all_opened,
    "settings": _settings,
    "erasing": _erasing,
    "erased": _erased,
    "several tickets": _several,
    "opening": _opening,
}


@pytest.mark.parametrize("screen", SCREENS)
async def test_the_app_s_screens(world: World, page: Page, screen: str) -> None:
    """In the dark, in the light and in forced colours."""
    await SCREENS[screen](world, page)
    assert await violations_in_all_looks(page) == {}


async def test_amc_clone_s_pages(world: World, page: Page) -> None:
    """The day's showings, and the page of a sold ticket with its link and QR code."""
    await page.goto(world.amc.url)
    assert await violations(page) == []
    await page.get_by_role("button").filter(has_text="uy").first.click()
    await page.get_by_role("link", name="Listen with Tell").wait_for()
    assert await violations(page) == []
    await page.goto(f"{world.amc.url}/operator?day={datetime.now(UTC) + timedelta(days=1):%F}")
    await page.get_by_role("button", name="Delay").first.click()
    await expect(page.get_by_role("status")).to_contain_text("the film starts at")
    assert await violations(page) == []
