"""The bad cases of `make bench-sync`: what she does, and what the network, clock and browser do.

Each scenario has a page of its own in a fresh profile, and a recorder of its own. It fills a
`Result` (bench/sync_result.py) from what was captured.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Executor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

from playwright.async_api import Browser, Page, expect

from bench import murmur
from bench.murmur import Reading
from bench.shaping import Shape, shaped
from bench.sync_reading import Film, take
from bench.sync_result import Result
from bench.tab import tab
from demo import browser
from demo.browser import LISTEN, STOP
from demo.sound import Recorder, Recording, SoundCard
from tests.browser.world import FROM_THE_START_MOVIE_ID, MOVIE_ID, World

# The one that runs for two hours and a half.
LONG_MOVIE_ID = "metropolis"
LONG_S = 7200
# Where the code of a film begins, and the 30 seconds of it that are silent.
CODE_FROM_S = 11 * 60
SILENT = range(CODE_FROM_S + 240, CODE_FROM_S + 270)

_LISTEN_S = 45.0
_SHORT_S = 6.0
_DRIFT_S = 100.0
# From shortly before the film on it is recorded.
_EARLY_S = 5.0
_PATIENCE_MS = 30_000
# A recording longer than this is read in pieces.
_PIECE_S = 300.0

WHOLE = "Ready, also without network."
READINESS = "details.readiness summary"
KEEP = "Download it now"
AGAIN = "Check again"

# She lets nothing be downloaded: so what is measured is the stream, and stays it.
STREAM_ALONE = "localStorage.setItem('tell.data-use', 'never');"
# Five minutes behind, and set right and wrong again every 15 s.
CLOCK_STEPS = """
(() => {
  const wall = Date.now.bind(Date), begun = wall();
  Date.now = () => wall() - (Math.floor((wall() - begun) / 15000) % 2 ? 0 : 300000);
})();
"""
DRIFT_200_PPM = """
(() => {
  const device = performance.now.bind(performance);
  performance.now = () => device() * (1 + 200e-6);
  // These stamps are made by the clock that does not drift here.
  performance.getEntriesByName = () => [];
})();
"""
# A byte near the end of the one track on the phone, which will not be heard.
_FLIP = """async () => {
  const tracks = await (await navigator.storage.getDirectory()).getDirectoryHandle("tracks");
  for await (const [name, handle] of tracks) {
    if (!name.endsWith(".mp4")) continue;
    const at = (await handle.getFile()).size - 5000;
    const byte = new Uint8Array(await (await handle.getFile()).slice(at, at + 1).arrayBuffer());
    byte[0] ^= 1;
    const out = await handle.createWritable({ keepExistingData: true });
    await out.write({ type: "write", position: at, data: byte });
    await out.close();
  }
}"""


@dataclass(frozen=True)
class Bench:
    """The parts that all scenarios share; long recordings are read by `reader`, a process."""

    world: World
    chromium: Browser
    card: SoundCard
    wait_s: float
    reader: Executor


Scenario = Callable[[Bench, Result], Awaitable[None]]


# One without a pause of the narrator's, and one with a pause in each second.
WITHOUT_PAUSES = Film(FROM_THE_START_MOVIE_ID, timedelta(seconds=-60), murmurs=True)
WITH_PAUSES = Film(MOVIE_ID, timedelta(seconds=-CODE_FROM_S - 60), murmurs=False, silent=SILENT)
BEFORE_THE_SILENCE = Film(
    MOVIE_ID, timedelta(seconds=-CODE_FROM_S - 215), murmurs=False, silent=SILENT
)


@dataclass(frozen=True)
class Join:
    """How she joins, and for how long she listens; `script` changes the browser."""

    film: Film = WITHOUT_PAUSES
    listen_s: float = _LISTEN_S
    shape: Shape | None = None
    script: str = STREAM_ALONE
    keeps_it: bool = False


def joins(join: Join, count: int = 1) -> Scenario:
    """Join *count* times on new phones: once for long, then for as long as it takes to be sure."""

    async def run(bench: Bench, result: Result) -> None:
        for number in range(count):
            await _join(bench, result, join, _SHORT_S if number else join.listen_s)

    return run


async def _join(bench: Bench, result: Result, join: Join, listen_s: float) -> None:
    """Open the link, press Listen as soon as it is there, hear."""
    sale = await bench.world.sell(join.film.starts_in, join.film.movie_id)
    async with AsyncExitStack() as stack:
        url = sale.listen_url
        if join.shape is not None:
            proxy = await stack.enter_async_context(shaped(bench.world.tell.url, join.shape))
            url = url.replace(bench.world.tell.url, proxy)
        page = await new_page(bench, stack, join.script)
        recorder = recorder_of(bench.card, stack)
        await page.goto(url)
        if join.keeps_it:
            await _keep(page)
        tapped_at = await listen(page)
        await asyncio.sleep(listen_s)
        recording = recorder.stop()
    take(result, recording, join.film, sale.movie_start.timestamp(), tapped_at)


async def handed_over(bench: Bench, result: Result) -> None:
    """The download comes while she listens; then it is found damaged, and comes anew."""
    film = WITHOUT_PAUSES
    sale = await bench.world.sell(film.starts_in, film.movie_id)
    async with AsyncExitStack() as stack:
        page = await new_page(bench, stack, STREAM_ALONE)
        recorder = recorder_of(bench.card, stack)
        await page.goto(sale.listen_url)
        tapped_at = await listen(page)
        await asyncio.sleep(8)
        seams = [await hand_over_to_download(page)]
        await asyncio.sleep(4)
        seams += await hand_over_and_back(page)
        await asyncio.sleep(4)
        recording = recorder.stop()
    start = sale.movie_start.timestamp()
    take(result, recording, film, start, tapped_at)
    for begin, end in seams:
        readings = murmur.read(recording, start, begin - 1, end + 2)
        jump_s = largest_jump_s(readings)
        result.jump_ms = max(result.jump_ms or 0.0, jump_s * 1000)
        gap_s = murmur.longest_gap_s(recording, begin - 1, end + 2)
        result.gap_ms = max(result.gap_ms or 0.0, gap_s * 1000)


async def hand_over_to_download(page: Page) -> tuple[float, float]:
    """Ask for the download while the stream plays; between which instants it took over."""
    begin = time.time()
    await _keep(page)
    await _expect_source(page, "download")
    return begin, time.time()


async def hand_over_and_back(page: Page) -> list[tuple[float, float]]:
    """Damage the download and have it looked through: to the stream, and back once it is whole."""
    await page.evaluate(_FLIP)
    begin = time.time()
    await page.get_by_role("button", name=AGAIN, exact=True).click()
    await _expect_source(page, "stream")
    middle = time.time()
    await _expect_source(page, "download")
    return [(begin, middle), (middle, time.time())]


def largest_jump_s(readings: Iterable[Reading | None]) -> float:
    """Of the error, from one reading to the next; seconds."""
    pairs = itertools.pairwise(filter(None, readings))
    return max((abs(after.error_s - before.error_s) for before, after in pairs), default=0.0)


async def moved(bench: Bench, result: Result) -> None:
    """The operator presses "start now" while she listens: within 2 s the sound is there."""
    film = Film(FROM_THE_START_MOVIE_ID, timedelta(seconds=-30), murmurs=True)
    sale = await bench.world.sell(film.starts_in, film.movie_id)
    async with AsyncExitStack() as stack:
        page = await new_page(bench, stack, STREAM_ALONE)
        recorder = recorder_of(bench.card, stack)
        await page.goto(sale.listen_url)
        await listen(page)
        await asyncio.sleep(6)
        pressed_at = time.time()
        movie_start = await bench.world.chain.start(sale)
        await asyncio.sleep(20)
        recording = recorder.stop()
    take(result, recording, film, movie_start.timestamp(), pressed_at, sounding=True)


async def hidden(bench: Bench, result: Result, film: Film, listen_s: float) -> None:
    """She presses, and the page goes out of sight: for a film that runs, or one that will."""
    sale = await bench.world.sell(film.starts_in, film.movie_id)
    start = sale.movie_start.timestamp()
    async with AsyncExitStack() as stack:
        page = await stack.enter_async_context(tab(bench.card))
        recorder = recorder_of(bench.card, stack)
        await page.go(sale.listen_url, STREAM_ALONE)
        await page.until("document.querySelector('button.listen') !== null")
        await asyncio.sleep(1)
        tapped_at = time.time()
        await page.evaluate("document.querySelector('button.listen').click()")
        await page.hide()
        waits = start > tapped_at
        if waits:
            recorder.stop()
            await asyncio.sleep(max(0.0, start - time.time() - _EARLY_S))
            recorder = recorder_of(bench.card, stack)
            tapped_at = time.time()
        await asyncio.sleep(max(0.0, start - time.time()) + listen_s)
        recording = recorder.stop()
    take(result, recording, film, start, tapped_at, first_word_counts=waits)
    # How long she waited for the film is no matter of ours.
    if waits:
        result.joins_s.clear()


async def hidden_while_it_plays(bench: Bench, result: Result) -> None:
    """The page goes out of sight at once."""
    await hidden(bench, result, WITHOUT_PAUSES, _LISTEN_S)


async def tap_in_the_previews(bench: Bench, result: Result) -> None:
    """Ten minutes out of sight before the film; the first word counts."""
    film = Film(FROM_THE_START_MOVIE_ID, timedelta(seconds=bench.wait_s), murmurs=True)
    await hidden(bench, result, film, 30.0)


async def two_hours(bench: Bench, result: Result) -> None:
    """All of a long film, in pieces, so that no recording grows without end."""
    film = Film(LONG_MOVIE_ID, WITH_PAUSES.starts_in, murmurs=False)
    sale = await bench.world.sell(film.starts_in, film.movie_id)
    start = sale.movie_start.timestamp()
    loop = asyncio.get_running_loop()
    pieces: list[asyncio.Future[Result]] = []
    async with AsyncExitStack() as stack:
        page = await new_page(bench, stack, STREAM_ALONE)
        recorder = recorder_of(bench.card, stack)
        await page.goto(sale.listen_url)
        tapped_at = await listen(page)
        end = tapped_at + LONG_S
        since = tapped_at
        while since < end:
            await asyncio.sleep(min(_PIECE_S, end - since))
            # The next one is there before this one ends.
            following = recorder_of(bench.card, stack)
            recording = recorder.stop()
            recorder = following
            piece = loop.run_in_executor(
                bench.reader, _piece, recording, film, start, since, tapped_at
            )
            piece.add_done_callback(_tell_piece)
            pieces.append(piece)
            since = time.time()
    for done in await asyncio.gather(*pieces):
        result.add(done)


def _tell_piece(piece: asyncio.Future[Result]) -> None:
    """Two hours are long: what goes wrong early is seen early."""
    if not piece.cancelled() and piece.exception() is None:
        print(piece.result(), flush=True)


def _piece(
    recording: Recording, film: Film, start: float, since: float, tapped_at: float
) -> Result:
    """One piece of a long listening, read in another process."""
    goes_on = since > tapped_at
    result = Result(f"  from minute {(since - tapped_at) / 60:.0f} on")
    take(result, recording, film, start, since, first_word_counts=goes_on, sounding=goes_on)
    result.errors_ms += result.first_ms
    result.readings = [(at + since - tapped_at, error_ms) for at, error_ms in result.readings]
    result.took_s = time.time() - since
    if goes_on:
        result.joins_s.clear()
    return result


async def new_page(bench: Bench, stack: AsyncExitStack, script: str) -> Page:
    """Open a page on a new phone, with *script* run before its own."""
    context = await browser.phone(bench.chromium)
    stack.push_async_callback(context.close)
    await context.add_init_script(script)
    return await context.new_page()


def recorder_of(card: SoundCard, stack: AsyncExitStack) -> Recorder:
    """Begin to record what the card plays."""
    recorder = card.recorder()
    recorder.start()
    stack.callback(recorder.stop)
    return recorder


async def listen(page: Page) -> float:
    """Press Listen as soon as it is there; when that was."""
    button = page.get_by_role("button", name=LISTEN, exact=True)
    await button.wait_for(timeout=_PATIENCE_MS)
    tapped_at = time.time()
    await button.click()
    await page.get_by_role("button", name=STOP, exact=True).wait_for(timeout=_PATIENCE_MS)
    return tapped_at


async def _keep(page: Page) -> None:
    """Ask for the download, and wait until it is whole."""
    await page.locator(READINESS).click()
    await page.get_by_role("button", name=KEEP, exact=True).click()
    await expect(page.locator("[data-about=track]")).to_have_text(WHOLE, timeout=_PATIENCE_MS)


async def _expect_source(page: Page, kind: str) -> None:
    # The name goes with the element that is heard.
    sound = page.locator("#sound")
    await expect(sound).to_have_attribute("data-source", kind, timeout=_PATIENCE_MS)
