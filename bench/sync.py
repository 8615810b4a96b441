"""`make bench-sync`: how far what is heard lies from what should be heard, in every bad case.

Real processes (AMC-clone, Tell), a real Chromium, real sound captured from a sound card of its own,
a track whose every moment can be read out of the recording, and one host clock: the error is
(film time heard) - (now - movie_start), each within the stated bound of the capture.

Scenarios run one after another, as sound is measured in real time; all of them take some 28
minutes, ten of which she waits for the film. `--only NAME,NAME` runs some, `--wait-s` shortens that
wait, `--table FILE` writes the results as Markdown, `--readings FILE` every reading, and LONG=1
listens for two hours too. The exit code is 1 where a promise was missed. A machine that is busy
makes holes in its sound: its load is said.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import structlog
from playwright.async_api import Error as PlaywrightError

from bench import murmur
from bench import sync_returns as returns
from bench import sync_scenarios as scenarios
from bench.shaping import Shape
from bench.sync_result import Result, every_reading, head, markdown
from bench.sync_scenarios import (
    BEFORE_THE_SILENCE,
    CODE_FROM_S,
    LONG_MOVIE_ID,
    LONG_S,
    SILENT,
    WITH_PAUSES,
    Bench,
    Join,
    Scenario,
    joins,
)
from demo import browser, sound
from tests.browser.world import (
    FROM_THE_START_MOVIE_ID,
    MOVIE_ID,
    World,
    publish_blocks,
    publish_code,
    running_world,
)

# So long each film is described.
_CODED_S, _MURMURED_S = 300, 240
_JOINS = 5
# The reader of long recordings leaves the processor to the sound.
_IDLE = 19


@dataclass(frozen=True)
class Entry:
    """A line of the table: what `--only` calls it, its title, the longest join, what is done."""

    name: str
    title: str
    limit_s: float | None
    run: Scenario


ENTRIES = (
    Entry("stream", "stream from mid-film", 1.0, joins(Join(), _JOINS)),
    Entry("pauses", "stream, a narrator who pauses", None, joins(Join(WITH_PAUSES))),
    Entry(
        "download", "downloaded file", 1.0,
        joins(Join(keeps_it=True), 2),
    ),
    Entry("handover", "hand-over, there and back", None, scenarios.handed_over),
    Entry(
        # Between loopback's second and the two of 100 ms, by the way's length.
        "rtt-20", "round trip 20 ms, jitter 10", 1.2,
        joins(Join(shape=Shape(0.02, jitter_s=0.01)), _JOINS),
    ),
    Entry(
        "rtt-100", "round trip 100 ms, jitter 30", 2.0,
        joins(Join(shape=Shape(0.1, jitter_s=0.03)), _JOINS),
    ),
    Entry(
        "rtt-300", "round trip 300 ms, jitter 50", 5.0,
        joins(Join(shape=Shape(0.3, jitter_s=0.05)), _JOINS),
    ),
    Entry(
        "uneven", "ways uneven by 20 ms, 2 % stalled", None,
        joins(Join(shape=Shape(0.06, jitter_s=0.02, uneven_s=0.02, stalled=0.02))),
    ),
    Entry(
        "clock", "device clock 5 min off, stepping", None,
        joins(Join(script=scenarios.STREAM_ALONE + scenarios.CLOCK_STEPS)),
    ),
    Entry(
        "drift", "device clock drifts by 200 ppm", None,
        joins(Join(script=scenarios.STREAM_ALONE + scenarios.DRIFT_200_PPM, listen_s=100.0)),
    ),
    Entry("hidden", "hidden tab", None, scenarios.hidden_while_it_plays),
    Entry("silence", "30 s of silence", None, joins(Join(BEFORE_THE_SILENCE, listen_s=75.0))),
    Entry("moved", "film moved while she listens", 2.0, scenarios.moved),
    # What these may take is counted from the sound's return.
    Entry("lost", "network lost until silent, and back", 1.0, returns.lost_network),
    Entry("interrupted", "paused by the system, and played", 1.0, returns.interrupted),
    Entry("slept", "device asleep for 20 s", 1.0, returns.slept),
    Entry("previews", "tap in the previews, first word", None, scenarios.tap_in_the_previews),
)  # fmt: skip
LONG = Entry("two-hours", "two hours", None, scenarios.two_hours)


async def main(
    entries: Sequence[Entry], wait_s: float, table: Path | None, readings: Path | None
) -> int:
    """Print the table; the exit code is 1 where a promise was missed."""
    # Each step of the packager would stand between the lines of the table.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    missing = browser.available() or sound.available()
    if missing:
        print(f"NOT MEASURED: {missing}")
        return 1
    results: list[Result] = []
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tell-bench-")))
        reader = stack.enter_context(
            ProcessPoolExecutor(
                1, multiprocessing.get_context("spawn"), initializer=os.nice, initargs=(_IDLE,)
            )
        )
        card = stack.enter_context(sound.sound_card())
        world = await _world(folder, stack, long=LONG in entries)
        chromium = await stack.enter_async_context(browser.chromium(card))
        bench = Bench(world, chromium, card, wait_s, reader)
        print(head(), flush=True)
        for entry in entries:
            results.append(await _measure(entry, bench))
            print(f"{results[-1]}  load {os.getloadavg()[0]:.1f}", flush=True)
            # After each of them: who ends it early keeps what was measured.
            if table is not None:
                table.write_text(markdown(results), encoding="utf-8")
            if readings is not None:
                readings.write_text(every_reading(results), encoding="utf-8")
    return 1 if any(result.faults for result in results) else 0


async def _measure(entry: Entry, bench: Bench) -> Result:
    """One line; a page that does not do what it should is a line too, and not the end."""
    result = Result(entry.title, entry.limit_s)
    began = time.monotonic()
    try:
        await entry.run(bench, result)
    except (AssertionError, PlaywrightError, TimeoutError) as error:
        result.problem = str(error).partition("\n")[0] or type(error).__name__
    result.took_s = time.monotonic() - began
    return result


async def _world(folder: Path, stack: AsyncExitStack, *, long: bool) -> World:
    media = folder / "media"
    # The code's own seconds have pauses; 30 s of it are silent, as description mostly is.
    await publish_code(media, MOVIE_ID, CODE_FROM_S, _CODED_S, silent=SILENT)
    await publish_blocks(media, FROM_THE_START_MOVIE_ID, 0, murmur.spoken(_MURMURED_S, 0))
    if long:
        await publish_code(media, LONG_MOVIE_ID, CODE_FROM_S, LONG_S + 120)
    return await stack.enter_async_context(running_world(folder))


def chosen(only: str | None, *, long: bool) -> list[Entry]:
    """Return the entries of these names, all where there are none; raises ValueError for others."""
    entries = [*ENTRIES, LONG] if long else [*ENTRIES]
    if only is None:
        return entries
    names = [name.strip() for name in only.split(",") if name.strip()]
    known = {entry.name: entry for entry in (*ENTRIES, LONG)}
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise ValueError(f"no scenario {', '.join(unknown)}: there are {', '.join(known)}")
    return [known[name] for name in names]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--only", help="names of scenarios, with commas between them")
    parser.add_argument("--wait-s", type=float, default=600.0, help="previews' wait in seconds")
    parser.add_argument("--table", type=Path, help="write the results there, as Markdown")
    parser.add_argument("--readings", type=Path, help="write each reading there, as CSV")
    options = parser.parse_args()
    try:
        picked = chosen(options.only, long=os.environ.get("LONG") == "1")
    except ValueError as error:
        parser.error(str(error))
    sys.exit(asyncio.run(main(picked, options.wait_s, options.table, options.readings)))
