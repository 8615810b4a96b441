"""Every screen in every look: nothing beside the screen, nothing too small, and a picture of each.

The pictures go to var/screens, for a person to look through.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from demo.browser import PHONE_HEIGHT, PHONE_WIDTH, patient
from demo.chain import Sale
from tests.browser.world import FROM_THE_START_MOVIE_ID, MOVIE_ID, UNDESCRIBED_MOVIE_ID, World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("world"),
]

FOLDER = Path("var/screens")
TARGET_PX = 64

# What sticks out of the screen, and what a finger may miss; words about each.
_BESIDE = """() => [document.documentElement, ...document.querySelectorAll("body *:not(.unseen)")]
  .filter((one) => {
    if (one === document.documentElement) return one.scrollWidth > one.clientWidth;
    const { left, right, width, height } = one.getBoundingClientRect();
    return width > 0 && height > 0 && (left < -1 || right > innerWidth + 1);
  })
  .map((one) => `${one.tagName}.${one.className}: ${one.textContent.slice(0, 40)}`)"""
# The type as the reader's own setting makes it: the style sheet says 112.5 % of that.
_DRESS = """([direction, percent]) => {
  document.documentElement.dir = direction;
  document.documentElement.style.fontSize = `${1.125 * percent}%`;
}"""
_REFUSES_SOUND = """() => {
  HTMLMediaElement.prototype.play = () => Promise.reject(new DOMException("", "NotAllowedError"));
}"""
_SMALL = """(px) => [...document.querySelectorAll("button, summary, label")]
  .filter((one) => {
    const { width, height } = one.getBoundingClientRect();
    return width > 0 && (height < px || width < px);
  })
  .map((one) => `${one.tagName}: ${one.textContent}`)"""


@dataclass(frozen=True)
class Tickets:
    """Sold once, shown in every look.

    `kept` is what a phone that claimed them remembers, `kept_at_home` one whose films are far.
    """

    kept: Any
    kept_at_home: Any
    running: str
    upcoming: str
    undescribed: str
    cancelled: str


@dataclass(frozen=True)
class Look:
    """How a screen is looked at."""

    name: str
    context: dict[str, Any] = field(default_factory=dict)
    type_percent: int = 100
    direction: str = "ltr"
    at_home: bool = False
    # Whether what she sees once in a while is looked at too.
    rare: bool = False


LOOKS = (
    Look("phone", rare=True),
    Look("light", {"color_scheme": "light"}, at_home=True),
    # What 1280 by 1024 pixels are at 400 % (WCAG 1.4.10).
    Look("zoom-400", {"viewport": {"width": 320, "height": 256}}),
    Look("type-400", type_percent=400, rare=True),
    Look("forced-colours", {"forced_colors": "active"}, rare=True),
    Look("spanish", {"locale": "es-US"}),
    Look("right-to-left", direction="rtl"),
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def tickets(world: World, silent_browser: Browser) -> AsyncIterator[Tickets]:
    """A film that runs, one of tonight, one that is not described, and one that is cancelled."""
    running = await world.sell(timedelta(minutes=-12), MOVIE_ID)
    upcoming = await world.sell(timedelta(hours=4), FROM_THE_START_MOVIE_ID)
    undescribed = await world.sell(timedelta(hours=3), UNDESCRIBED_MOVIE_ID)
    cancelled = await world.sell(timedelta(hours=5), MOVIE_ID)
    at_home = await _kept(silent_browser, [undescribed, upcoming])
    kept = await _kept(silent_browser, [undescribed, upcoming, running, cancelled])
    world.change_screening(cancelled.correlation_id, status="cancelled")
    yield Tickets(
        kept,
        at_home,
        running.correlation_id,
        upcoming.correlation_id,
        undescribed.correlation_id,
        cancelled.correlation_id,
    )


async def _kept(browser: Browser, sales: list[Sale]) -> Any:
    """What a phone remembers that has opened these links."""
    context = patient(await browser.new_context())
    page = await context.new_page()
    for sale in sales:
        await page.goto("about:blank")
        await page.goto(sale.listen_url)
        await page.locator(".listen, [data-screen=not-described]").wait_for()
    kept = await context.storage_state()
    await context.close()
    return kept


async def _ticket(page: Page, correlation_id: str) -> None:
    await page.goto(f"/listen?ticket={correlation_id}")
    await page.locator(".listen").wait_for()
    await page.locator(".poster img").evaluate("(image) => image.decode()")


async def _listening(page: Page, tickets: Tickets) -> None:
    await _ticket(page, tickets.running)
    await page.locator(".listen").click()
    await page.locator(".sounding").wait_for()


async def _opened(page: Page, tickets: Tickets, part: str) -> None:
    await _ticket(page, tickets.upcoming)
    await page.locator(f"{part} > summary").click()


async def _settings(page: Page) -> None:
    await page.goto("/listen?settings")
    await page.locator("h1").wait_for()


async def _list(page: Page) -> None:
    await page.goto("/listen")
    await page.locator(".card").first.wait_for()


async def _undescribed(page: Page, tickets: Tickets) -> None:
    await page.goto(f"/listen?ticket={tickets.undescribed}")
    await page.locator("[data-screen=not-described]").wait_for()


async def _refused(page: Page) -> None:
    await page.goto("about:blank")
    await page.goto("/listen#nonsense")
    await page.locator("[data-screen=claim-refused]").wait_for()


async def _waiting(page: Page, tickets: Tickets) -> None:
    await _ticket(page, tickets.upcoming)
    await page.locator(".listen").click()
    await expect(page.locator("#status")).to_contain_text("Ready.")


async def _stopped(page: Page, tickets: Tickets) -> None:
    await _listening(page, tickets)
    await page.locator(".listen").click()
    await expect(page.locator("#status")).to_contain_text("Stopped.")


async def _alarm(page: Page, tickets: Tickets) -> None:
    await _ticket(page, tickets.running)
    await page.evaluate(_REFUSES_SOUND)
    await page.locator(".listen").click()
    await expect(page.locator("#status")).to_contain_text("did not allow sound")


async def _testing_the_sound(page: Page, tickets: Tickets) -> None:
    await _opened(page, tickets, ".readiness")
    await page.get_by_role("button", name="Test the sound").click()
    await page.get_by_role("button", name="Yes, I heard them").wait_for()


async def _tapping(page: Page, tickets: Tickets) -> None:
    await _opened(page, tickets, ".adjust")
    await page.get_by_role("button", name="Start the clicks").click()
    await page.locator("button.tap").wait_for()


async def _cancelled(page: Page, tickets: Tickets) -> None:
    await page.goto(f"/listen?ticket={tickets.cancelled}")
    await page.locator("[data-screen=cancelled]").wait_for()


async def _stored(page: Page, tickets: Tickets) -> None:
    await _ticket(page, tickets.upcoming)
    await expect(page.locator("[data-about=track]")).to_have_text("Ready, also without network.")
    await _settings(page)
    await page.get_by_role("button", name="Remove Sherlock Jr.").wait_for()


async def _erasing(page: Page) -> None:
    await _settings(page)
    await page.get_by_role("button", name="Erase everything", exact=True).click()
    await page.get_by_role("button", name="No, keep it").wait_for()


async def _erased(page: Page) -> None:
    # The other looks are of the same listener, who stays.
    await page.route("**/tell/listener", lambda route: route.fulfill(status=204))
    await _erasing(page)
    await page.get_by_role("button", name="Yes, erase everything").click()
    await page.locator("[data-screen=erased]").wait_for()


Go = Callable[[Page, Tickets], Awaitable[None]]
SCREENS: dict[str, Go] = {
    "tickets": lambda page, _: _list(page),
    "ticket-tonight": lambda page, tickets: _ticket(page, tickets.upcoming),
    "ticket-running": lambda page, tickets: _ticket(page, tickets.running),
    "ticket-listening": _listening,
    "ticket-readiness": lambda page, tickets: _opened(page, tickets, ".readiness"),
    "ticket-adjusting": lambda page, tickets: _opened(page, tickets, ".adjust"),
    "ticket-sync": lambda page, tickets: _opened(page, tickets, ".sync"),
    "settings": lambda page, _: _settings(page),
    "not-described": _undescribed,
    "refused": lambda page, _: _refused(page),
}
# What she sees once in a while; the last one leaves nothing to be seen after it.
RARE_SCREENS: dict[str, Go] = {
    "ticket-waiting": _waiting,
    "ticket-stopped": _stopped,
    "ticket-alarm": _alarm,
    "ticket-sound-test": _testing_the_sound,
    "ticket-tapping": _tapping,
    "cancelled": _cancelled,
    "settings-stored": _stored,
    "erasing": lambda page, _: _erasing(page),
    "erased": lambda page, _: _erased(page),
}
NOT_AT_HOME = ("ticket-running", "ticket-listening")


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
async def test_each_screen_fits(
    world: World, silent_browser: Browser, tickets: Tickets, look: Look
) -> None:
    """It scrolls one way alone, and on a phone every target is 64 px and more."""
    options = {
        "viewport": {"width": PHONE_WIDTH, "height": PHONE_HEIGHT},
        "color_scheme": "dark",
        "locale": "en-US",
        "reduced_motion": "reduce",
        **look.context,
    }
    context = patient(
        await silent_browser.new_context(
            base_url=world.tell.url,
            storage_state=tickets.kept_at_home if look.at_home else tickets.kept,
            **options,
        )
    )
    page = await context.new_page()
    folder = FOLDER / look.name
    folder.mkdir(parents=True, exist_ok=True)
    screens = {**SCREENS, **RARE_SCREENS} if look.rare else SCREENS
    for name, go in screens.items():
        if look.at_home and name in NOT_AT_HOME:
            continue
        await go(page, tickets)
        await page.evaluate(_DRESS, [look.direction, look.type_percent])
        await page.screenshot(path=folder / f"{name}.png", full_page=True)
        assert await page.evaluate(_BESIDE) == [], name
        if look.context.get("viewport") is None:
            assert await page.evaluate(_SMALL, TARGET_PX) == [], name
    await context.close()
