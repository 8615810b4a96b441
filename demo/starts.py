"""A film that was put off is started at AMC-clone's desk, and the listeners follow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

import aiohttp

from demo import browser, sound
from demo.events import ticket_events
from demo.joins import MeasuredJoin, measured
from demo.stolen import STOLEN_LIMIT, Stolen

# A press of the button, which returns the movie_start that it stamped.
Press = Callable[[], Awaitable[datetime]]

_PATIENCE_S = 20.0
_WAITING_S = 2.0
_LISTEN_S = 10.0
# The sound follows the event: by so much later it must be in sync.
_SETTLED_S = 3.0
_MOST_AGAIN = 4


@dataclass(frozen=True, slots=True)
class ToldOfStart:
    """What the event said, and how long after the press it came."""

    movie_start: datetime
    after_s: float


async def told_of_start(
    session: aiohttp.ClientSession, bearer: dict[str, str], press: Press
) -> tuple[datetime, ToldOfStart]:
    """Connect to the event stream, press, and wait for the event; returns the stamp and it."""
    async with asyncio.timeout(_PATIENCE_S), ticket_events(session, bearer) as events:
        pressed_at = time.monotonic()
        stamped = await press()
        async for name, ticket in events:
            if name == "screening.started":
                after_s = time.monotonic() - pressed_at
                movie_start = datetime.fromisoformat(ticket["movie_start"])
                return stamped, ToldOfStart(movie_start, after_s)
    raise AssertionError("unreachable")


async def sound_follows(listen_url: str, press: Press) -> MeasuredJoin:
    """Join before the film, press, and read the film's time in what is heard from then on.

    Where others had the machine meanwhile it is listened to for longer, and the last part counts.
    """
    with sound.sound_card() as card:
        async with browser.chromium(card) as chromium:
            recorder = card.recorder()
            recorder.start()
            try:
                context = await browser.phone(chromium)
                page = await context.new_page()
                await browser.join(page, recorder, listen_url, listen_s=_WAITING_S)
                began_at = time.time()
                movie_start = await press()
                stolen = Stolen()
                await asyncio.sleep(_LISTEN_S)
                for _ in range(_MOST_AGAIN):
                    if stolen.share() <= STOLEN_LIMIT:
                        break
                    # Others had the machine: what is heard from here on counts.
                    began_at, stolen = time.time(), Stolen()
                    await asyncio.sleep(_LISTEN_S)
                share = stolen.share()
                heard = await asyncio.to_thread(browser.read_join, recorder, began_at)
                await context.close()
            finally:
                recorder.stop()
    return replace(measured(heard, movie_start, _SETTLED_S), stolen=share)
