"""The link past what stands before the screen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from tests.browser.world import World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("world"),
]

RUNNING = timedelta(minutes=-12)
SOON_MS = 60_000


async def test_the_skip_link_leads_to_the_heading_and_disturbs_nothing(
    world: World, page: Page
) -> None:
    """First in the page, seen once it has the focus; the sound goes on, the address stays."""
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    button = page.locator("button.listen")
    await expect(button).to_be_visible(timeout=SOON_MS)
    await button.click()
    await expect(page.locator("article.sounding")).to_be_visible(timeout=SOON_MS)
    skip = page.get_by_role("link", name="Skip to the ticket or text", exact=True)
    assert await page.evaluate("document.body.firstElementChild.id") == "skip"
    await expect(skip).not_to_be_in_viewport()
    await skip.focus()
    await expect(skip).to_be_in_viewport()
    address = page.url
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1, name="One Week")).to_be_focused()
    assert page.url == address
    await expect(page.locator("article.sounding")).to_be_visible()
    await expect(button).to_have_text("Stop")
