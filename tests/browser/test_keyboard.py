"""The whole way by keyboard alone, and by what a screen reader has: no pointer, no picture."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from tests.browser.reading import EAR, Reader, all_said, reader_of, said
from tests.browser.world import MOVIE_QUIET_S, World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("world"),
]

RUNNING = timedelta(minutes=-12)
STOPPED = "Stopped. Press Listen to join again."
PLAYING = "Playing by the schedule, which may be minutes off."
MOVED = "You moved the description 1 second later."
WHOLE = "Ready, also without network."
# What a reader of text stops at.
READ = {"heading", "paragraph", "term", "definition", "button", "image"}
# From the place in the page to the last control there are fewer stops than this.
MOST_STOPS = 40

# Name of what has the focus, as it is read; empty where nothing has.
_FOCUSED = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return "";
  return at.getAttribute("aria-label") ?? at.labels?.[0]?.textContent.trim() ??
    at.textContent.trim();
}"""


async def _focused(page: Page) -> str:
    name: str = await page.evaluate(_FOCUSED)
    return name


async def _tab_to(page: Page, name: str | re.Pattern[str]) -> None:
    """Press Tab until that control has the focus, as far as the page goes."""
    stops = []
    for _ in range(MOST_STOPS):
        await page.keyboard.press("Tab")
        stops.append(await _focused(page))
        if re.fullmatch(name, stops[-1]):
            return
    raise AssertionError(f"Tab does not reach {name!r}, but {stops}")


async def _press(page: Page, name: str | re.Pattern[str], key: str = "Enter") -> None:
    await _tab_to(page, name)
    await page.keyboard.press(key)


async def _press_in_header(page: Page, name: str) -> None:
    """Press what stands before the screen: Shift and Tab lead there."""
    for _ in range(MOST_STOPS):
        await page.keyboard.press("Shift+Tab")
        if await _focused(page) == name:
            return await page.keyboard.press("Enter")
    raise AssertionError(f"Shift+Tab does not reach {name!r}")


async def test_the_whole_way_by_keyboard(world: World, page: Page) -> None:
    """The list, the readiness check, the sound test, listening, adjusting, back: by keys."""
    for starts_in in (timedelta(hours=3), RUNNING):
        sale = await world.sell(starts_in)
        await page.goto("about:blank")
        await page.goto(sale.listen_url)
        heading = page.get_by_role("heading", level=1, name="One Week")
        await expect(heading).to_be_focused()
    await expect(page.get_by_role("button", name="All tickets")).to_be_visible()
    # The list and back to the ticket.
    await _press_in_header(page, "All tickets")
    await expect(page.get_by_role("heading", level=1, name="Your tickets")).to_be_focused()
    await _press(page, re.compile(r"One Week.*started \d+ minutes ago.*"))
    await expect(heading).to_be_focused()
    # The readiness check, with its question.
    summary = page.locator("details.readiness summary")
    await expect(page.locator("[data-about=track]")).to_have_text(WHOLE)
    await _press(page, re.compile("(Ready|Not ready yet) for .*"))
    await _press(page, "Test the sound", "Space")
    await expect(page.get_by_role("button", name="Yes, I heard them")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Test the sound")).to_be_focused()
    await expect(summary).to_have_text(re.compile("^Ready for .*"))
    # Listening: the button keeps the focus, and says what pressing it does now.
    await heading.focus()
    await _press(page, "Listen")
    stop = page.get_by_role("button", name="Stop", exact=True)
    await expect(stop).to_be_focused()
    await expect(stop).to_have_accessible_description(PLAYING)
    # What does not fit is moved, a step at a time.
    await _press(page, "If the sound does not fit the film", "Space")
    await _press(page, "Description 1 second later")
    await expect(page.locator(".adjust").get_by_text(MOVED)).to_be_visible()
    assert await _focused(page) == "Description 1 second later"
    await _press(page, "Forget what I set", "Space")
    assert await _focused(page) == "Forget what I set"
    await heading.focus()
    await _press(page, "Stop", "Space")
    listen = page.get_by_role("button", name="Listen", exact=True)
    await expect(listen).to_be_focused()
    await expect(listen).to_have_accessible_description(STOPPED)
    # The settings: a choice by the arrows, a switch by Space, a question answered with no.
    await _press_in_header(page, "Settings")
    await expect(page.get_by_role("heading", level=1, name="Settings")).to_be_focused()
    await _tab_to(page, "Download by itself")
    await page.keyboard.press("ArrowDown")
    assert await _focused(page) == "Only when I ask, and small"
    await expect(page.get_by_role("radio", name="Only when I ask, and small")).to_be_checked()
    switch = page.get_by_role("switch", name="Tell the cinema how well the sound fits")
    await expect(switch).to_be_checked()
    await _press(page, "Tell the cinema how well the sound fits", "Space")
    await expect(switch).not_to_be_checked()
    await _press(page, "Erase everything")
    await expect(page.get_by_role("button", name="No, keep it")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Erase everything", exact=True)).to_be_focused()
    await _press_in_header(page, "Back")
    await expect(heading).to_be_visible()
    # Back as the browser goes back: its own keys do not reach it without a window.
    await page.go_back()
    await expect(page.get_by_role("heading", level=1, name="Your tickets")).to_be_focused()


async def test_nothing_holds_the_focus(world: World, page: Page) -> None:
    """Tab goes through every control once, in the order of the page, and out at its end."""
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    await expect(page.get_by_role("heading", level=1, name="One Week")).to_be_focused()
    for details in await page.locator("details > summary").all():
        await details.click()
    await page.get_by_role("heading", level=1).focus()
    wanted = await page.evaluate(
        """() => [...document.querySelectorAll("main :is(button, summary, a[href], input, select)")]
            .filter((one) => one.checkVisibility()).map((one) => one.textContent.trim())"""
    )
    assert len(wanted) > 10
    stops = []
    for _ in range(MOST_STOPS):
        await page.keyboard.press("Tab")
        inside = await page.evaluate("document.activeElement.closest('main') !== null")
        if not inside:
            break
        stops.append(await page.evaluate("document.activeElement.textContent.trim()"))
    assert stops == wanted


async def _stops(reader: Reader) -> list[str]:
    """What the ticket's screen reads, from its heading to its button."""
    names = [str(node) for node in await reader.nodes() if node.role in READ]
    begin = names.index("heading: One Week")
    button = next(name for name in names[begin:] if name.startswith("button: "))
    return names[begin : names.index(button, begin) + 1]


async def test_the_whole_way_by_the_accessibility_tree(world: World, page: Page) -> None:
    """Roles and names alone lead through it; what is said comes in the order of what is done."""
    await page.add_init_script(EAR)
    # Where the narrator pauses: what she hears of the sound is said without waiting.
    sale = await world.sell(timedelta(seconds=-MOVIE_QUIET_S))
    await page.goto(sale.listen_url)
    async with reader_of(page) as reader:
        heading = await reader.find("heading", "One Week")
        assert heading.focused
        landmarks = [node.role for node in await reader.nodes()]
        assert [landmarks.count(each) for each in ("banner", "main", "heading")] == [1, 1, 1]
        await said(page, WHOLE)
        stops = await _stops(reader)
        times = [stop for stop in stops if re.fullmatch(r"definition: \d+:\d\d\s[AP]M", stop)]
        whens = [
            stop for stop in stops if re.fullmatch(r"paragraph: .* started \d+ minutes ago\.", stop)
        ]
        assert [len(times), len(whens)] == [2, 1]
        assert [stop for stop in stops if stop not in [*times, *whens]] == [
            "heading: One Week",
            "term: Theater",
            f"definition: {sale.theater_name}",
            "term: Auditorium",
            f"definition: {sale.auditorium_number}",
            "term: Previews",
            "term: Film",
            "paragraph: Press Listen to join the film where it is.",
            "button: Listen",
        ]
        await reader.activate("button", "Listen")
        stop = await reader.find("button", "Stop")
        await said(page, PLAYING)
        assert (await reader.find("button", "Stop")).description == PLAYING
        fit = "If the sound does not fit the film"
        assert (await reader.find("DisclosureTriangle", fit)).expanded is False
        await reader.activate("DisclosureTriangle", fit)
        assert (await reader.find("DisclosureTriangle", fit)).expanded is True
        await reader.find("group", "Where the film is")
        await reader.activate("button", "Description 1 second later")
        await said(page, MOVED)
        await reader.activate("button", "Stop")
        listen = await reader.find("button", "Listen")
        # The same button all the time: whoever stands on it stays on it.
        assert listen.backend_id == stop.backend_id
        await said(page, STOPPED)
    # In this order; between them a busy machine may have had other news of the sound.
    announced = iter(await all_said(page))
    for sentence in (WHOLE, PLAYING, MOVED, STOPPED):
        assert sentence in announced, sentence
