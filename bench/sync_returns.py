"""Sound that goes and comes back: a network that is lost, a call, a device that slept.

The figure is how long it takes from the sound's return until it is in sync and stays so: she must
not hear the description of another moment for longer than a second.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

from playwright.async_api import Page

from bench.shaping import Line, Shape, shaped
from bench.sync_reading import take
from bench.sync_result import Result
from bench.sync_scenarios import (
    STREAM_ALONE,
    WITHOUT_PAUSES,
    Bench,
    listen,
    new_page,
    recorder_of,
)
from bench.tab import tab
from demo.sound import Recording

_BEFORE_S, _AFTER_S = 8.0, 15.0
# The device sleeps for longer than what its sound card has in store, and shorter than the film.
_AWAY_S = 20.0
# Longer than what is buffered (js/stream.js), and then some.
_PATIENCE_S = 90.0
_QUIET_S = 3.0
_POLL_S = 0.05
# Before the silence so much is left out: the poll that finds it is late.
_LAST_S = 1.0
_PAUSED = "const sound = document.getElementById('sound'); sound.paused || sound.readyState < 3"
_HEARD = "document.querySelector('article.sounding') !== null"


async def lost_network(bench: Bench, result: Result) -> None:
    """No byte comes until all that was buffered has been heard; then the network is back."""
    sale = await bench.world.sell(WITHOUT_PAUSES.starts_in, WITHOUT_PAUSES.movie_id)
    line = Line()
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(
            shaped(bench.world.tell.url, Shape(0.02), line=line)
        )
        page = await new_page(bench, stack, STREAM_ALONE)
        recorder = recorder_of(bench.card, stack)
        await page.goto(sale.listen_url.replace(bench.world.tell.url, proxy))
        tapped_at = await listen(page)
        await asyncio.sleep(_BEFORE_S)
        line.lose()
        gone_at = await _until_silent(page)
        await asyncio.sleep(_QUIET_S)
        back_at = time.time()
        line.restore()
        # The app asks again every two seconds; what comes first is heard first.
        await asyncio.sleep(_AFTER_S)
        recording = recorder.stop()
    _take_both(result, recording, sale.movie_start.timestamp(), tapped_at, gone_at, back_at)


async def interrupted(bench: Bench, result: Result) -> None:
    """The system pauses the element, as for a call or a pulled headphone, and plays it again."""
    sale = await bench.world.sell(WITHOUT_PAUSES.starts_in, WITHOUT_PAUSES.movie_id)
    async with AsyncExitStack() as stack:
        page = await new_page(bench, stack, STREAM_ALONE)
        recorder = recorder_of(bench.card, stack)
        await page.goto(sale.listen_url)
        tapped_at = await listen(page)
        await asyncio.sleep(_BEFORE_S)
        gone_at = time.time()
        await page.evaluate("document.getElementById('sound').pause()")
        await asyncio.sleep(_AWAY_S)
        back_at = time.time()
        await page.evaluate("document.getElementById('sound').play()")
        await asyncio.sleep(_AFTER_S)
        recording = recorder.stop()
    _take_both(result, recording, sale.movie_start.timestamp(), tapped_at, gone_at, back_at)


async def slept(bench: Bench, result: Result) -> None:
    """All of the browser stands still, as on a device that sleeps, and then goes on."""
    sale = await bench.world.sell(WITHOUT_PAUSES.starts_in, WITHOUT_PAUSES.movie_id)
    async with AsyncExitStack() as stack:
        page = await stack.enter_async_context(tab(bench.card))
        recorder = recorder_of(bench.card, stack)
        await page.go(sale.listen_url, STREAM_ALONE)
        await page.until("document.querySelector('button.listen') !== null")
        tapped_at = time.time()
        await page.evaluate("document.querySelector('button.listen').click()")
        await page.until(_HEARD)
        await asyncio.sleep(_BEFORE_S)
        gone_at = time.time()
        page.sleep()
        try:
            await asyncio.sleep(_AWAY_S)
        finally:
            back_at = time.time()
            page.wake()
        await asyncio.sleep(_AFTER_S)
        recording = recorder.stop()
    _take_both(result, recording, sale.movie_start.timestamp(), tapped_at, gone_at, back_at)


async def _until_silent(page: Page) -> float:
    """When the last of what was buffered had sounded; raises TimeoutError."""
    async with asyncio.timeout(_PATIENCE_S):
        while not await page.evaluate(_PAUSED):  # noqa: ASYNC110  (it is in another process)
            await asyncio.sleep(_POLL_S)
    return time.time()


def _take_both(
    result: Result,
    recording: Recording,
    start: float,
    tapped_at: float,
    gone_at: float,
    back_at: float,
) -> None:
    """What was heard before and after; the join that counts is the one after."""
    take(result, recording, WITHOUT_PAUSES, start, tapped_at, until=gone_at - _LAST_S)
    result.joins_s.clear()
    take(result, recording, WITHOUT_PAUSES, start, back_at, from_the_sound=True)
