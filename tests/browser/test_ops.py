"""The operator's pages in a real browser: by keyboard, with axe, following by themselves.

Pictures of each go to var/screens, for a person to look through.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from demo.browser import patient
from gateway.operator_token import read_operator_token
from tests.browser.axe import LOOKS, RUN_COLOURS, violations
from tests.browser.world import UNDESCRIBED_MOVIE_ID, World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("world"),
]

FOLDER = Path("var/screens")
SIZES = {"desk": (1280, 900), "phone": (390, 844)}
RUNNING = timedelta(minutes=-12)


@pytest_asyncio.fixture(loop_scope="session")
async def desk(silent_browser: Browser, world: World) -> AsyncIterator[Page]:
    """An operator's browser; an error or a refusal of the policy fails the test."""
    context = await silent_browser.new_context(viewport={"width": 1280, "height": 900})
    patient(context)
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda message: errors.append(message.text) if "Security" in message.text else None,
    )
    yield page
    await context.close()
    assert errors == []


async def log_in(world: World, page: Page) -> None:
    """By keyboard alone."""
    await page.goto(f"{world.tell.url}/ops")
    await expect(page.get_by_role("heading", level=1, name="Log in")).to_be_visible()
    await page.get_by_label("Operator's token").focus()
    await page.keyboard.type(read_operator_token(world.folder / "secrets" / "ops.token"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1, name="Tonight")).to_be_visible()


async def look(page: Page, name: str) -> dict[str, list[str]]:
    """What axe finds in each look and size, with a picture of each."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = {}
    for size, (width, height) in SIZES.items():
        await page.set_viewport_size({"width": width, "height": height})
        wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not wide, f"{name} is wider than the {size}"
        found[size] = await violations(page)
        for how, media in LOOKS.items():
            await page.emulate_media(**media)
            if "forced" not in how:
                path = FOLDER / f"ops-{name}-{size}-{how}.png"
                await page.screenshot(path=path, full_page=True)
            found[f"{size}, {how}"] = await violations(page, RUN_COLOURS)
    await page.set_viewport_size({"width": 1280, "height": 900})
    return {where: rules for where, rules in found.items() if rules}


async def test_every_page_is_accessible(world: World, desk: Page) -> None:
    """Log-in, tonight with all that may stand on it, a screening, an effect, a page that fails."""
    sale = await world.sell(RUNNING)
    await world.sell(timedelta(hours=2), UNDESCRIBED_MOVIE_ID)
    await world.post_purchase("st-of-nowhere")
    await desk.goto(f"{world.tell.url}/ops")
    assert await look(desk, "login") == {}
    await log_in(world, desk)
    await expect(desk.get_by_text("Nobody will hear").first).to_be_visible()
    again = desk.get_by_role("button", name="Look up again").first
    await expect(again).to_be_visible()
    assert await look(desk, "tonight") == {}
    await desk.goto(f"{world.tell.url}/ops/screenings/local/{sale.showtime_id}")
    await expect(desk.get_by_role("heading", level=1, name="One Week")).to_be_visible()
    assert await look(desk, "screening") == {}
    await desk.get_by_label("Minutes later").fill("6")
    await desk.get_by_role("button", name="It starts so much later").click()
    await expect(desk.get_by_role("heading", level=1)).to_contain_text("Correct the start")
    assert await look(desk, "effect") == {}
    await desk.goto(f"{world.tell.url}/ops/screenings/local/none")
    assert await look(desk, "fault") == {}


async def test_a_start_is_corrected_by_keyboard(world: World, desk: Page) -> None:
    """From tonight to the screening, to the effect, to the correction, without a mouse."""
    sale = await world.sell(RUNNING)
    await log_in(world, desk)
    path = f"/ops/screenings/local/{sale.showtime_id}"
    link = desk.locator(f'#screenings a[href="{path}"]')
    await expect(link).to_be_visible()
    await link.focus()
    await desk.keyboard.press("Enter")
    await desk.get_by_label("Minutes later").focus()
    await desk.keyboard.type("-2")
    await desk.keyboard.press("Enter")
    await expect(desk.get_by_text("2 min earlier: what they hear goes on")).to_be_visible()
    await desk.get_by_label("Note for the history").focus()
    await desk.keyboard.type("began early")
    await desk.keyboard.press("Enter")
    await expect(desk.get_by_role("status")).to_contain_text("The start is corrected.")
    await expect(desk.get_by_role("table")).to_contain_text("began early")


async def test_the_page_follows_and_keeps_its_place(world: World, desk: Page) -> None:
    """A new screening comes by itself, numbers change in place, and the focus stays."""
    await log_in(world, desk)
    parts = desk.get_by_role("group", name="Parts of this server")
    await parts.focus()
    taken = desk.locator("#taken time")
    before = await taken.inner_text()
    sale = await world.sell(RUNNING)
    path = f"/ops/screenings/local/{sale.showtime_id}"
    row = desk.locator(f'#screenings a[href="{path}"]')
    await expect(row).to_be_visible()
    await expect(taken).not_to_have_text(before)
    await expect(parts).to_be_focused()
    # A row that has the focus is not taken away under it.
    await row.focus()
    await world.sell(RUNNING)
    await expect(desk.locator("#taken time")).not_to_have_text(await taken.inner_text())
    await expect(row).to_be_focused()


async def test_a_new_alarm_is_said_and_nothing_else(world: World, desk: Page) -> None:
    """The live region is empty until something needs a person, whatever else changes."""
    await log_in(world, desk)
    announcer = desk.locator("#announcer")
    await expect(announcer).to_have_text("")
    await world.sell(RUNNING)
    before = await desk.locator("#taken time").inner_text()
    await expect(desk.locator("#taken time")).not_to_have_text(before)
    await expect(announcer).to_have_text("")
    await world.post_purchase("st-of-nowhere-at-all")
    await expect(announcer).to_contain_text("New alarm:")
    await expect(announcer).to_contain_text("of local")
