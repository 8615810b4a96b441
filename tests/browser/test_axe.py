"""axe-core on the app's screens and on AMC-clone's pages: no violation of WCAG 2.2 AA."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from demo.browser import LISTEN, STOP
from tests.browser.world import UNDESCRIBED_MOVIE_ID, World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("world"),
]

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
RUN = """axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
                             "best-practice"] })"""


async def _violations(page: Page) -> list[str]:
    """What axe finds, a line for each rule with the elements; [] is what we want."""
    # Evaluated from outside the page, so its own strict policy stays in force.
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    results: dict[str, Any] = await page.evaluate(RUN)
    assert len(results["passes"]) > 10, "axe has checked next to nothing"
    return [
        f"{rule['id']}: {', '.join(str(node['target']) for node in rule['nodes'])}"
        for rule in results["violations"]
    ]


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_the_app_s_ticket_before_and_while_listening(
    world: World, page: Page, scheme: str
) -> None:
    """The ticket with its button, and the same while it plays, in both colour schemes."""
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    sale = await world.sell(timedelta(minutes=-12))
    await page.goto(sale.listen_url)
    listen = page.get_by_role("button", name=LISTEN, exact=True)
    await listen.wait_for()
    assert await _violations(page) == []
    await listen.click()
    await page.get_by_role("button", name=STOP, exact=True).wait_for()
    assert await _violations(page) == []


async def test_the_app_s_other_screens(world: World, page: Page) -> None:
    """No ticket yet, a list of tickets, and a film that is not described."""
    await page.goto(f"{world.tell.url}/listen")
    await page.get_by_role("heading", level=1).wait_for()
    assert await _violations(page) == []
    for movie_id in (UNDESCRIBED_MOVIE_ID, "one-week"):
        sale = await world.sell(timedelta(hours=2), movie_id)
        await page.goto("about:blank")
        await page.goto(sale.listen_url)
        await page.get_by_role("heading", level=1).wait_for()
        assert await _violations(page) == []
    await (
        page.get_by_role("link", name="All tickets")
        .or_(page.get_by_role("button", name="All tickets"))
        .click()
    )
    await expect(page.get_by_role("listitem")).to_have_count(2)
    assert await _violations(page) == []


async def test_amc_clone_s_pages(world: World, page: Page) -> None:
    """The day's showings, and the page of a sold ticket with its link and QR code."""
    await page.goto(world.amc.url)
    assert await _violations(page) == []
    await page.get_by_role("button").filter(has_text="uy").first.click()
    await page.get_by_role("link", name="Listen with Tell").wait_for()
    assert await _violations(page) == []
    await page.goto(f"{world.amc.url}/operator?day={datetime.now(UTC) + timedelta(days=1):%F}")
    await page.get_by_role("button", name="Delay").first.click()
    await expect(page.get_by_role("status")).to_contain_text("the film starts at")
    assert await _violations(page) == []
