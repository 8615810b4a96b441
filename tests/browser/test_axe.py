"""axe-core on every screen of the app in every state, and on AMC-clone's pages: no violation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from demo.browser import LISTEN, STOP
from tests.browser.listening import listen
from tests.browser.world import FROM_THE_START_MOVIE_ID, UNDESCRIBED_MOVIE_ID, World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("world"),
]

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
RUN = """axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
                             "best-practice"] })"""
# axe asks for the fill of the letters first, which Chromium tells as it was before the palette was
# forced; nothing here sets one, so the colour is what is painted.
_AS_PAINTED = """(() => {
  const value = CSSStyleDeclaration.prototype.getPropertyValue;
  CSSStyleDeclaration.prototype.getPropertyValue = function (name) {
    return name === "-webkit-text-fill-color" ? "" : value.call(this, name);
  };
})()"""
RUNNING = timedelta(minutes=-12)
# As the phone's owner may have set it.
LOOKS: dict[str, dict[str, Any]] = {
    "dark": {"color_scheme": "dark", "forced_colors": "none"},
    "light": {"color_scheme": "light", "forced_colors": "none"},
    "forced colours, dark": {"color_scheme": "dark", "forced_colors": "active"},
    "forced colours, light": {"color_scheme": "light", "forced_colors": "active"},
}


# Colours on their way from one to the other are no colours of ours.
_AT_REST = """async () => {
  const transitions = document.getAnimations().filter((one) => one instanceof CSSTransition);
  await Promise.all(transitions.map((one) => one.finished.catch(() => {})));
}"""


async def violations(page: Page) -> list[str]:
    """What axe finds, a line for each rule with the elements; [] is what we want."""
    # Evaluated from outside the page, so its own strict policy stays in force.
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text(encoding="utf-8"))
        await page.evaluate(_AS_PAINTED)
    await page.evaluate(_AT_REST)
    results: dict[str, Any] = await page.evaluate(RUN)
    assert len(results["passes"]) > 10, "axe has checked next to nothing"
    return [
        f"{rule['id']}: {', '.join(str(node['target']) for node in rule['nodes'])}"
        for rule in results["violations"]
    ]


async def _in_all_looks(page: Page) -> dict[str, list[str]]:
    """The same screen in each look."""
    found = {}
    for look, media in LOOKS.items():
        await page.emulate_media(**media)
        found[look] = await violations(page)
    return found


# How each screen is come to. A new screen is one function and one line of SCREENS below.


async def _ticket(world: World, page: Page) -> None:
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    await page.get_by_role("button", name=LISTEN, exact=True).wait_for()
    await expect(page.locator("[data-about=track]")).to_be_attached()


async def _ticket_for_later(world: World, page: Page) -> None:
    """So long before the film that the page may be light."""
    sale = await world.sell(timedelta(hours=3))
    await page.goto(sale.listen_url)
    await page.get_by_role("button", name=LISTEN, exact=True).wait_for()


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
    await _ticket(world, page)
    for summary in await page.locator("main details > summary").all():
        await summary.click()
    await page.get_by_role("button", name="Test the sound").click()
    yes = page.get_by_role("button", name="Yes, I heard them")
    await expect(yes).to_be_focused()


async def _settings(world: World, page: Page) -> None:
    """With a track that is stored, and can be removed."""
    await _ticket(world, page)
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


async def _no_ticket(world: World, page: Page) -> None:
    await page.goto(f"{world.tell.url}/listen")
    await _titled(page, "No ticket here yet")


async def _refused(world: World, page: Page) -> None:
    await page.goto(f"{world.tell.url}/listen#wrong")
    await _titled(page, "This link does not open a ticket")


async def _no_network(world: World, page: Page) -> None:
    await _no_ticket(world, page)
    await page.context.set_offline(True)
    await page.evaluate("location.hash = 'some-code'")
    await _titled(page, "No network")


async def _parked(world: World, page: Page) -> None:
    _, listen_url = await world.post_purchase("st-of-nowhere-else")
    await page.goto(listen_url)
    await _titled(page, "Your ticket needs a hand")


async def _cancelled(world: World, page: Page) -> None:
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    # By then Tell has the screening.
    await page.get_by_role("button", name=LISTEN, exact=True).wait_for()
    world.change_screening(sale.correlation_id, status="cancelled")
    await page.reload()
    await _titled(page, "This showing is cancelled")


async def _undescribed(world: World, page: Page) -> None:
    sale = await world.sell(timedelta(hours=2), UNDESCRIBED_MOVIE_ID)
    await page.goto(sale.listen_url)
    await _titled(page, "No description for this film")


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
    "no ticket": _no_ticket,
    "link refused": _refused,
    "no network": _no_network,
    "parked": _parked,
    "cancelled": _cancelled,
    "not described": _undescribed,
}


@pytest.mark.parametrize("screen", SCREENS)
async def test_the_app_s_screens(world: World, page: Page, screen: str) -> None:
    """In the dark, in the light and in forced colours."""
    await SCREENS[screen](world, page)
    assert await _in_all_looks(page) == {look: [] for look in LOOKS}


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
