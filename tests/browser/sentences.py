"""What she is told: it is there to be seen, it is announced, and axe finds nothing about it."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.browser.axe import violations_in_all_looks
from tests.browser.reading import said


async def expect_sentence(page: Page, title: str, text: str) -> None:
    """This heading has the focus, this sentence is there and announced. The page has EAR."""
    await expect(page.get_by_role("heading", level=1, name=title)).to_be_focused()
    await expect(page.get_by_role("main").get_by_role("paragraph")).to_have_text(text)
    await said(page, text)
    assert await violations_in_all_looks(page) == {}


async def expect_alarm(page: Page, text: str, timeout_ms: int | None = None) -> None:
    """It stands above the button, and is announced over everything else. The page has EAR."""
    await expect(page.locator("#status")).to_have_text(text, timeout=timeout_ms)
    role, _ = await said(page, text)
    assert role == "alert"
    assert await violations_in_all_looks(page) == {}


async def expect_of_the_track(page: Page, text: str) -> None:
    """The readiness check says this of the track; it is unfolded then."""
    await expect(page.locator("[data-about=track]")).to_have_text(text)
    await page.locator("details.readiness").evaluate("(details) => { details.open = true; }")
    assert await violations_in_all_looks(page) == {}
