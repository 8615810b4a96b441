"""What a real player in Chromium is heard to do while parts of the cluster fail."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from demo import browser, sound
from demo.chain import Sale
from demo.check import require
from demo.joins import missing_for_joins

_SETTLED_S = 3.0
# While nothing fails, for what the machine itself does to the sound.
_CONTROL_S = 10.0
CONTROL = "before the first fault"
SYNC_LIMIT_MS = 40.0
# Where the voice is loud a second cannot be read; a sound that stops is silent for all of them.
HEARD_SHARE = 0.8
LONGEST_GAP_S = 3.5


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was heard in one part of a recording; `worst_ms` is signed, infinite where nothing was.

    `gap_s` is the longest time between two seconds of the film that could be read.
    """

    name: str
    seconds: float
    worst_ms: float
    bound_ms: float
    read: int
    gap_s: float

    @property
    def holds(self) -> bool:
        """Whether the sound never stopped, and stayed in sync."""
        return (
            abs(self.worst_ms) + self.bound_ms <= SYNC_LIMIT_MS
            and self.read >= HEARD_SHARE * (self.seconds - 1)
            and self.gap_s <= LONGEST_GAP_S
        )

    def __str__(self) -> str:
        """The figures as a person reads them."""
        return (
            f"{self.name} {self.worst_ms:+.1f} ms ± {self.bound_ms:.1f} at worst, "
            f"{self.read} of {self.seconds:.0f} seconds read, the longest gap {self.gap_s:.1f} s"
        )


def stretches(
    join: browser.Join, movie_start: float, begins: list[tuple[str, float]], end: float
) -> list[Stretch]:
    """Cut what was heard at the instants in *begins* (name, host time); the last ends at *end*.

    A gap that spans a cut counts in both stretches that it touches.
    """
    errors = join.errors_ms(movie_start)
    ends = [at for _, at in begins[1:]] + [end]
    found = []
    for (name, begin), until in zip(begins, ends, strict=True):
        inside = [
            error
            for error, heard in zip(errors, join.heard, strict=True)
            if begin <= heard.at < until
        ]
        # From the last second read before it to the first one after it.
        before = max((each.at for each in join.heard if each.at < begin), default=begin)
        after = min((each.at for each in join.heard if each.at >= until), default=until)
        times = [before, *(each.at for each in join.heard if begin <= each.at < until), after]
        found.append(
            Stretch(
                name=name,
                seconds=until - begin,
                worst_ms=max(inside, key=abs, default=float("inf")),
                bound_ms=join.bound_s * 1000,
                read=len(inside),
                gap_s=max(later - earlier for earlier, later in itertools.pairwise(times)),
            )
        )
    return found


class Ear:
    """Hears the player; `recorder` is None where this machine has no browser or sound server."""

    def __init__(self, recorder: sound.Recorder | None, movie_start: float) -> None:
        self._recorder = recorder
        self._movie_start = movie_start
        self._begins = [(CONTROL, time.time())]

    @property
    def hears(self) -> bool:
        """Whether there is a player at all."""
        return self._recorder is not None

    def mark(self, name: str) -> None:
        """From here on *name* is what goes on."""
        self._begins.append((name, time.time()))

    async def told(self) -> list[str]:
        """What was heard in each stretch until now; raises CheckError where one does not hold."""
        if self._recorder is None:
            return []
        end = time.time()
        join = await asyncio.to_thread(browser.read_join, self._recorder, self._begins[0][1])
        found = stretches(join, self._movie_start, self._begins, end)
        said = [str(each) for each in found]
        wrong = [str(each) for each in found if not each.holds]
        require(
            not wrong,
            f"beyond {SYNC_LIMIT_MS:.0f} ms, or the sound stopped: {'; '.join(wrong)} "
            f"(all: {'; '.join(said)})",
        )
        return said


@asynccontextmanager
async def real_player(sale: Sale) -> AsyncIterator[Ear]:
    """Chromium that streams *sale*'s film while the block runs; begins with the control reading.

    Where there is no browser or no sound server that is said, and raises CheckError where CI is
    set.
    """
    missing = missing_for_joins()
    if missing is not None:
        require("CI" not in os.environ, f"real sound is required where CI is set: {missing}")
        print(f"  SKIPPED: the sound of a real player, since {missing}", flush=True)
        yield Ear(None, sale.movie_start.timestamp())
        return
    with sound.sound_card() as card:
        async with browser.chromium(card) as chromium:
            recorder = card.recorder()
            recorder.start()
            try:
                context = await browser.phone(chromium)
                # A downloaded track would need no replica at all.
                await context.add_init_script("localStorage['tell.data-use'] = 'never'")
                page = await context.new_page()
                await browser.join(page, recorder, sale.listen_url, listen_s=_SETTLED_S)
                ear = Ear(recorder, sale.movie_start.timestamp())
                await asyncio.sleep(_CONTROL_S)
                yield ear
                await context.close()
            finally:
                recorder.stop()
