"""A real Chromium that joins a film, and what was heard of it.

The listener's way, nothing beside it: the link is opened, the button found by its name, pressed,
and the sound that comes out of the sound card is read against the clock. Server, browser and
recorder share one host clock, so the error is (film time heard) - (now - movie_start).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from playwright.async_api import TimeoutError as BrowserTimeoutError

from demo import timecode
from demo.services import DemoError
from demo.sound import Recorder, Recording, SoundCard

PHONE_WIDTH, PHONE_HEIGHT = 390, 844
LISTEN = "Listen"
STOP = "Stop"

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# A passing run never waits so long.
PATIENCE_MS = 60_000
# Below this a sample is silence: -66 dBFS, under the time code and above the encoder's dust.
_SILENCE = 5e-4

ARGUMENTS = (
    # As on a phone: sound is allowed after a gesture, and not before.
    "--autoplay-policy=document-user-activation-required",
    # What the browser does for its maker, which a test should neither wait for nor measure.
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-quic", "--no-first-run", "--disable-gpu",
)  # fmt: skip


def executable() -> str | None:
    """Path of the machine's Chromium, None where there is none."""
    return next((path for name in _PROGRAMS if (path := shutil.which(name))), None)


def available() -> str | None:
    """Return why no browser can be driven here, None when one can."""
    return None if executable() else f"not installed: {' or '.join(_PROGRAMS)}"


@asynccontextmanager
async def chromium(card: SoundCard | None = None) -> AsyncIterator[Browser]:
    """Start Chromium without a window, playing into *card* (None: no sound is wanted)."""
    environment: Mapping[str, str] = os.environ if card is None else card.environment
    # Chromium's sandbox refuses to run as root, in a container above all.
    as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable(),
            env=dict(environment),
            args=[*ARGUMENTS, *as_root],
            ignore_default_args=[] if card is None else ["--mute-audio"],
        )
        try:
            yield browser
        finally:
            await browser.close()


async def phone(browser: Browser) -> BrowserContext:
    """Return a fresh profile with a phone's screen, in the dark."""
    return patient(
        await browser.new_context(
            viewport={"width": PHONE_WIDTH, "height": PHONE_HEIGHT},
            color_scheme="dark",
            locale="en-US",
        )
    )


def patient(context: BrowserContext) -> BrowserContext:
    """Let whatever is waited for in *context* take as long as a busy machine may need."""
    context.set_default_timeout(PATIENCE_MS)
    return context


@dataclass(frozen=True, slots=True)
class Heard:
    """Second `film_s` of the film sounded at `at`, seconds of the host's clock."""

    at: float
    film_s: int


@dataclass(frozen=True, slots=True)
class Join:
    """One press of the button and what came of it; times are seconds of the host's clock.

    `first_sound_at` is None where none came. Every time is true within `bound_s`.
    """

    tapped_at: float
    first_sound_at: float | None
    heard: tuple[Heard, ...]
    bound_s: float

    def errors_ms(self, movie_start: float, since_tap_s: float = 0.0) -> list[float]:
        """Heard minus true film time, in ms and positive ahead, from *since_tap_s* on.

        *movie_start* is in seconds of the host's clock, as the server has it.
        """
        return [
            (heard.film_s - (heard.at - movie_start)) * 1000
            for heard in self.heard
            if heard.at - self.tapped_at >= since_tap_s
        ]


async def join(
    page: Page,
    recorder: Recorder,
    listen_url: str,
    *,
    listen_s: float,
    by: Literal["pointer", "keyboard"] = "pointer",
) -> Join:
    """Open the link, press Listen, hear *listen_s* seconds and read the time in them.

    The page stays open and goes on playing. Raises DemoError where no button comes.
    """
    await page.goto(listen_url)
    button = page.get_by_role("button", name=LISTEN, exact=True)
    try:
        await button.wait_for()
    except BrowserTimeoutError as error:
        said = " ".join((await page.locator("body").inner_text()).split())
        raise DemoError(
            f'the listener\'s page has no button "{LISTEN}"; it says: {said}'
        ) from error
    if by == "keyboard":
        await focus_by_keyboard(page, LISTEN)
        tapped_at = time.time()
        await page.keyboard.press("Enter")
    else:
        tapped_at = time.time()
        await button.click()
    await asyncio.sleep(listen_s - (time.time() - tapped_at))
    return await asyncio.to_thread(read_join, recorder, tapped_at)


def read_join(recorder: Recorder, tapped_at: float) -> Join:
    """What was heard from *tapped_at* until now."""
    return read_recording(recorder.so_far(), tapped_at)


def read_recording(recording: Recording, tapped_at: float) -> Join:
    """What was heard from *tapped_at* until the recording's end."""
    begin = max(0, round(recording.position_at(tapped_at)))
    samples = recording.samples[begin:]
    loud = np.flatnonzero(np.abs(samples) > _SILENCE)
    heard = tuple(
        Heard(recording.time_of(begin + mark.position), mark.film_s)
        for mark in timecode.decode(samples)
    )
    first = recording.time_of(begin + int(loud[0])) if len(loud) else None
    return Join(tapped_at, first, heard, recording.bound_s)


async def focus_by_keyboard(page: Page, name: str, presses: int = 20) -> None:
    """Press Tab until the control of that name has the focus; raises AssertionError if none has."""
    for _ in range(presses):
        focused = await page.evaluate("document.activeElement?.textContent?.trim() ?? ''")
        if focused == name:
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {name!r}")
