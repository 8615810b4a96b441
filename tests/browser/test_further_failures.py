"""Failure speaks, further: downloads, the sound test, erasing, a stream without sound, the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from demo.browser import LISTEN
from tests.browser.axe import violations_in_all_looks
from tests.browser.faulty import Fault, Faulty, faulty_way
from tests.browser.listening import press_listen
from tests.browser.reading import said
from tests.browser.sentences import expect_alarm, expect_of_the_track
from tests.browser.world import MOVIE_ENDS_S, World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("world"),
    pytest.mark.usefixtures("listened_to"),
]

LATER = timedelta(hours=3)
WHOLE = "Ready, also without network."
_STREAM_ALONE = "localStorage['tell.data-use'] = 'never';"
_SLOW_NETWORK = """
Object.defineProperty(Navigator.prototype, "connection", {
  get: () => Object.assign(new EventTarget(), { effectiveType: "2g", saveData: false }),
});
"""
_TONES_REFUSED = """
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () {
  const tones = this.id !== "sound" && !this.loop;
  return tones ? Promise.reject(new DOMException("", "NotAllowedError")) : play.call(this);
};
"""


@pytest_asyncio.fixture(loop_scope="session")
async def way(world: World) -> AsyncIterator[Faulty]:
    """A way to Tell that fails as the test asks."""
    async with faulty_way(world.tell.url) as made:
        yield made


async def test_a_download_that_is_damaged_each_time(world: World, way: Faulty, page: Page) -> None:
    """It is given up, and it says that the network is what she will hear it by."""
    way.faults = [Fault(flip=1000) for _ in range(3)]
    sale = await world.sell(LATER)
    await page.goto(way.through(sale.listen_url))
    sentence = (
        "The download came damaged again and again. "
        "The description comes by the network while you listen."
    )
    await expect_of_the_track(page, sentence)
    await said(page, sentence)
    assert way.asked == [0, 0, 0]


async def test_a_download_that_waits_for_the_network(world: World, way: Faulty, page: Page) -> None:
    """Cut before a byte came, and again: it says that it waits, and goes on by itself."""
    cut = [Fault(cut_after=0) for _ in range(3)]
    for fault in cut:
        fault.cut.set()
    held = Fault()
    held.held_by = held.cut
    way.faults = [*cut, held]
    sale = await world.sell(LATER)
    await page.goto(way.through(sale.listen_url))
    await expect_of_the_track(page, "The download waits for the network, and goes on by itself.")
    held.cut.set()
    await expect(page.locator("[data-about=track]")).to_have_text(WHOLE)


async def test_a_network_that_is_slow(world: World, page: Page) -> None:
    """Nothing is downloaded by itself over it, and it says where it would be."""
    await page.add_init_script(_SLOW_NETWORK)
    sale = await world.sell(LATER)
    await page.goto(sale.listen_url)
    await expect_of_the_track(
        page,
        "Not downloaded, since the network is slow. On Wi-Fi it is downloaded by itself.",
    )


async def test_tones_that_the_browser_refuses(world: World, page: Page) -> None:
    """The sound test says to press once more."""
    await page.add_init_script(_TONES_REFUSED)
    sale = await world.sell(LATER)
    await page.goto(sale.listen_url)
    await page.locator("details.readiness > summary").click()
    await page.get_by_role("button", name="Test the sound").click()
    sentence = "The browser did not allow the sound. Press Test the sound once more."
    await expect(page.locator("details.readiness").get_by_text(sentence)).to_be_visible()
    await said(page, sentence)
    assert await violations_in_all_looks(page) == {}


async def test_an_erasure_that_does_not_reach_tell(world: World, way: Faulty, page: Page) -> None:
    """Nothing is erased then, here neither; it says so, and the next try erases."""
    sale = await world.sell(LATER)
    way.failing = "/tell/listener"
    await page.goto(way.through(sale.listen_url))
    await page.get_by_role("button", name=LISTEN, exact=True).wait_for()
    await page.get_by_role("button", name="Settings", exact=True).click()
    await page.get_by_role("button", name="Erase everything", exact=True).click()
    yes = page.get_by_role("button", name="Yes, erase everything")
    await yes.click()
    sentence = (
        "Tell could not be reached, so nothing was erased. Turn the network on and try once more."
    )
    await expect(page.get_by_role("main").get_by_text(sentence)).to_be_visible()
    await said(page, sentence)
    assert await violations_in_all_looks(page) == {}
    assert await page.evaluate("'tell.listener' in localStorage")
    way.failing = None
    await yes.click()
    await expect(page.get_by_role("heading", level=1, name="Everything is erased")).to_be_focused()


async def test_a_stream_that_tell_cannot_send(world: World, way: Faulty, page: Page) -> None:
    """Tell answers, and has no sound: an alarm that says who must know, until it has."""
    await page.add_init_script(_STREAM_ALONE)
    sale = await world.sell(LATER)
    way.failing = "/stream/"
    await page.goto(way.through(sale.listen_url))
    await press_listen(page)
    sentence = (
        "Tell cannot send the sound at the moment. "
        "It tries again by itself; if it stays so, tell the staff."
    )
    await expect_alarm(page, sentence)
    way.failing = None
    await expect(page.locator("#status")).not_to_have_text(sentence)


async def test_a_description_that_has_ended(world: World, page: Page) -> None:
    """Joined after its last word, in the credits, it says that nothing more comes."""
    sale = await world.sell(timedelta(seconds=-MOVIE_ENDS_S - 5))
    await page.goto(sale.listen_url)
    await press_listen(page)
    sentence = "The description has ended. Enjoy the credits."
    await expect(page.locator("#status")).to_have_text(sentence)
    await said(page, sentence)
    assert await violations_in_all_looks(page) == {}
