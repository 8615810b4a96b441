"""Failure speaks where the phone itself lacks something: a place for files, a codec, a clock."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from demo.browser import LISTEN
from tests.browser.axe import violations_in_all_looks
from tests.browser.faulty import faulty_way
from tests.browser.listening import listen, press_listen
from tests.browser.reading import said
from tests.browser.sentences import expect_alarm, expect_of_the_track
from tests.browser.world import FROM_THE_START_MOVIE_ID, World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("world"),
    pytest.mark.usefixtures("listened_to"),
]

RUNNING = timedelta(minutes=-12)
WHOLE = "Ready, also without network."
NO_CODEC = (
    "This browser cannot play the description. "
    "Open Tell in the newest version of Chrome, Safari or Firefox."
)
BLOCKED = "The browser did not allow sound. Press Listen once more."
_PLAYS_NOTHING = """
HTMLMediaElement.prototype.canPlayType = () => "";
MediaSource.isTypeSupported = () => false;
"""
_PRESSES_BY_ITSELF = """
new MutationObserver((_, observer) => {
  const button = document.querySelector("button.listen");
  if (button && !window.pressed) {
    window.pressed = true;
    button.click();
  }
  if (document.getElementById("status")?.textContent.includes("did not allow")) {
    observer.disconnect();
    console.log("refused");
  }
}).observe(document, { childList: true, subtree: true, characterData: true });
"""
_KEEPS_NOTHING = "delete StorageManager.prototype.getDirectory;"
# As browsers do in private windows: the place is there, and lets nobody in.
_LETS_NOTHING_BE_KEPT = """
StorageManager.prototype.getDirectory = () =>
  Promise.reject(new DOMException("no storage in a private window", "SecurityError"));
"""
_CLOCK_SET_BACK = """(() => {
  const wall = Date.now.bind(Date);
  Date.now = () => wall() - 3_600_000;
})();"""
_STREAM_ALONE = "localStorage['tell.data-use'] = 'never';"
NO_CLOCK = (
    "Tell does not know what time it is: it cannot be reached, and this phone's clock was set "
    "back. Turn the network on; or open “If the sound does not fit the film”, and press "
    "“The film starts now” when it does."
)


async def test_browser_that_keeps_nothing(world: World, page: Page) -> None:
    """Without a private file system it says that it streams, and streams."""
    await page.add_init_script(_KEEPS_NOTHING)
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    await expect(page.locator("[data-about=track]")).to_have_text(
        "This browser keeps no downloads. The description comes by the network while you listen."
    )
    await listen(page)


async def test_browser_that_plays_nothing_of_it(world: World, page: Page) -> None:
    """No codec: said before the film by the readiness check, and at the press as an alarm."""
    await page.add_init_script(_PLAYS_NOTHING)
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    await expect(page.locator("[data-about=track]")).to_have_text(NO_CODEC)
    await said(page, NO_CODEC)
    await page.get_by_role("button", name=LISTEN, exact=True).click()
    await expect(page.locator("#status")).to_have_text(NO_CODEC)
    assert await violations_in_all_looks(page) == {}
    await expect(page.get_by_role("button", name=LISTEN, exact=True)).to_be_visible()


async def test_sound_that_the_browser_refuses(world: World, page: Page) -> None:
    """A press that is a program's own: it says to press once more, and that helps."""
    await page.add_init_script(_PRESSES_BY_ITSELF)
    sale = await world.sell(RUNNING)
    # Nothing is asked of the page until then: what the test evaluates counts as a gesture.
    async with page.expect_console_message(lambda message: message.text == "refused"):
        await page.goto(sale.listen_url)
    await expect_alarm(page, BLOCKED)
    await listen(page)


async def test_private_window(world: World, page: Page) -> None:
    """A place for files that lets nothing be kept: said, and the description streams."""
    await page.add_init_script(_LETS_NOTHING_BE_KEPT)
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    sentence = (
        "This browser did not let Tell keep the description, as in a private window. "
        "It comes by the network while you listen."
    )
    await expect_of_the_track(page, sentence)
    await said(page, sentence)
    await listen(page)
    assert await page.locator("#sound").get_attribute("data-source") == "stream"


async def test_phone_without_a_clock(world: World, page: Page) -> None:
    """Its clock was set back and Tell cannot be asked: an alarm, and her own mark plays."""
    sale = await world.sell(timedelta(minutes=4), FROM_THE_START_MOVIE_ID)
    await page.goto(sale.listen_url)
    await expect(page.locator("[data-about=track]")).to_have_text(WHOLE)
    await page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    await page.add_init_script(_CLOCK_SET_BACK)
    await world.tell.stop()
    try:
        await page.reload()
        await press_listen(page)
        await expect_alarm(page, NO_CLOCK)
        await page.get_by_text("If the sound does not fit the film", exact=True).click()
        await page.get_by_role("button", name="The film starts now", exact=True).click()
        await expect(page.locator("#status")).to_have_text("Playing from the start that you set.")
        assert await page.locator("#sound").get_attribute("data-source") == "download"
    finally:
        await world.restart_tell()


async def test_sound_that_cannot_be_decoded(world: World, page: Page) -> None:
    """Tried anew, then given up with an alarm and a number; once it is right, a press plays it."""
    await page.add_init_script(_STREAM_ALONE)
    sale = await world.sell(RUNNING)
    async with faulty_way(world.tell.url) as way:
        way.garbles = True
        await page.goto(way.through(sale.listen_url))
        await press_listen(page)
        await expect_alarm(
            page,
            "The sound could not be opened. Press Listen to try again. "
            f"If it stays so, tell the staff this number: {sale.correlation_id}.",
        )
        way.garbles = False
        await listen(page)
