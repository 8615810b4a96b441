"""What is said aloud: in the narrator's pauses, at once where it must be; and the lock screen."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from demo.browser import LISTEN, STOP
from tests.browser.listening import listen, playing
from tests.browser.reading import EAR, said
from tests.browser.test_events import move, press
from tests.browser.world import World, publish_code

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("world"),
]

# A film that only these tests publish. Its narrator speaks for 10 s, then pauses for 8.
MOVIE_ID = "steamboat-bill-jr"
CYCLE_S = 18
SPEAKS_S = 10
TRACK_S = 180
PLAYING = "Playing by the schedule, which may be minutes off."

# Keeps the last handler of each action, as a lock screen would.
_LOCK_SCREEN = """() => {
  window.actions = {};
  const set = MediaSession.prototype.setActionHandler;
  MediaSession.prototype.setActionHandler = function (action, handler) {
    window.actions[action] = handler;
    return set.call(this, action, handler);
  };
  const position = MediaSession.prototype.setPositionState;
  MediaSession.prototype.setPositionState = function (state) {
    window.position = state ? state.duration : null;
    return state ? position.call(this, state) : position.call(this);
  };
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def paused_track(world: World) -> None:
    """The track whose narrator pauses."""
    silent = [second for second in range(TRACK_S) if second % CYCLE_S >= SPEAKS_S]
    await publish_code(world.folder / "media", MOVIE_ID, 0, TRACK_S, silent=silent, voice=True)


async def narrator_begins_to_speak(sale_start_s: float) -> None:
    """Wait until the narrator has just begun."""
    into_s = (time.time() - sale_start_s) % CYCLE_S
    await asyncio.sleep(CYCLE_S - into_s + 0.2)


def in_a_pause(at_s: float | None) -> bool:
    """Whether nobody speaks in that second of the track, or from a moment after it on."""
    return at_s is not None and (at_s + 0.1) % CYCLE_S >= SPEAKS_S


@pytest.mark.sound
@pytest.mark.xdist_group("sound")
@pytest.mark.usefixtures("paused_track")
async def test_the_app_speaks_in_the_narrator_s_pauses(world: World, page: Page) -> None:
    """What can wait falls into a pause; a film that moves to another auditorium cannot."""
    await page.add_init_script(f"{EAR} localStorage['tell.data-use'] = 'never'")
    sale = await world.sell(timedelta(seconds=-14), MOVIE_ID)
    await page.goto(sale.listen_url)
    listen = page.get_by_role("button", name=LISTEN, exact=True)
    await listen.wait_for()
    movie_start = sale.movie_start.timestamp()
    await narrator_begins_to_speak(movie_start)
    await listen.click()
    await expect(page.locator("#status")).to_have_text(PLAYING)
    # Asked for while the narrator speaks, here long before that has ended.
    await page.locator("details.readiness summary").click()
    await page.get_by_role("button", name="Download it now").click()
    await expect(page.locator("[data-about=track]")).to_have_text("Ready, also without network.")
    for sentence in (PLAYING, "Ready, also without network."):
        role, at_s = await said(page, sentence)
        assert role == "status"
        assert in_a_pause(at_s), (sentence, at_s)
    await narrator_begins_to_speak(movie_start)
    assert await page.evaluate("felt") == []
    number = await move(world, sale)
    role, at_s = await said(page, f"Your film has moved to auditorium {number}.")
    assert role == "alert"
    assert not in_a_pause(at_s), at_s
    assert await page.evaluate("felt.length") == 1


async def test_what_ends_the_sound_is_said_at_once_and_felt(world: World, page: Page) -> None:
    """Her own Stop quietly, a call and a cancelled film as alarms; each can be felt."""
    await page.add_init_script(EAR)
    sale = await world.sell(timedelta(minutes=-12))
    await page.goto(sale.listen_url)
    listen = page.get_by_role("button", name=LISTEN, exact=True)
    expected: list[tuple[str, str]] = [
        ("status", "Stopped. Press Listen to join again."),
        ("alert", "Something paused the sound"),
        ("alert", "The cinema has cancelled One Week."),
    ]
    ends: list[Any] = [
        page.get_by_role("button", name=STOP, exact=True).click,
        lambda: page.evaluate("document.getElementById('sound').pause()"),
        lambda: press(world, sale.showtime_id, "cancel", {}),
    ]
    for (role, sentence), end in zip(expected, ends, strict=True):
        await listen.click()
        await playing(page)
        # A sound that stalls on a busy machine is felt too, but it is not what ends it.
        felt = await page.evaluate("felt.length")
        await end()
        assert await said(page, sentence) == (role, None)
        assert await page.evaluate("felt.length") > felt


async def test_the_lock_screen_plays_and_pauses_and_no_more(world: World, page: Page) -> None:
    """Title, theater and poster are there; nothing on it can move the film."""
    await page.add_init_script(f"({_LOCK_SCREEN})()")
    sale = await world.sell(timedelta(minutes=-12))
    await page.goto(sale.listen_url)
    await listen(page)
    handled = await page.evaluate("Object.keys(actions).filter((name) => actions[name])")
    assert sorted(handled) == ["pause", "play"]
    refused = await page.evaluate("Object.keys(actions).filter((name) => !actions[name])")
    assert {"seekto", "seekbackward", "seekforward", "previoustrack", "nexttrack"} <= set(refused)
    told = await page.evaluate(
        "(({ title, artist }) => [title, artist])(navigator.mediaSession.metadata)"
    )
    assert told == ["One Week", sale.theater_name]
    assert await _pictures_come(page)
    # Of a sound without an end there is no bar to drag.
    assert await page.evaluate("window.position === Infinity")
    for action, state, button in (("pause", "paused", LISTEN), ("play", "playing", STOP)):
        await page.evaluate("(action) => actions[action]()", action)
        await page.get_by_role("button", name=button, exact=True).wait_for()
        assert await page.evaluate("navigator.mediaSession.playbackState") == state
    await playing(page)
    await press(world, sale.showtime_id, "cancel", {})
    await expect(page.get_by_role("heading", level=1)).to_have_text("This showing is cancelled")
    assert await page.evaluate("navigator.mediaSession.playbackState") == "none"
    assert await page.evaluate("navigator.mediaSession.metadata") is None


async def _pictures_come(page: Page) -> bool:
    """Every picture that the lock screen is offered can be shown."""
    come: bool = await page.evaluate(
        """() => Promise.all(navigator.mediaSession.metadata.artwork.map(({ src }) => {
            const image = new Image();
            image.src = src;
            return image.decode();
        })).then((all) => all.length === 2)"""
    )
    return come
