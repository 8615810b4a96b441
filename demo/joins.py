"""Real joins: Chromium opens the link, the button is pressed, and the sound is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from demo import browser, sound
from demo.stolen import STOLEN_LIMIT, Stolen

# Heard for so long after the tap; what counts begins here.
_LISTEN_S = 12.0
_SETTLED_S = 2.0
# So many joins are taken again at most, since the machine was busy for others.
_MOST_AGAIN = 6


@dataclass(frozen=True, slots=True)
class MeasuredJoin:
    """`error_ms` is the worst of the seconds heard from 2 s after the tap, positive ahead.

    It is true within `bound_ms`. `marks` seconds were read; the first sound came `sound_after_s`
    after the tap. `stolen` is the share of the processors' time that others had meanwhile.
    """

    error_ms: float
    bound_ms: float
    marks: int
    sound_after_s: float | None
    stolen: float = 0.0

    def __str__(self) -> str:
        """The figures as a person reads them."""
        if self.sound_after_s is None:
            return "no sound came"
        return (
            f"{self.error_ms:+.1f} ms ± {self.bound_ms:.1f} at worst in {self.marks} s, "
            f"first sound {self.sound_after_s:.2f} s after the tap"
            + (
                f", while others had {self.stolen:.0%} of the machine"
                if self.stolen >= 0.01
                else ""
            )
        )


def missing_for_joins() -> str | None:
    """Return what this machine lacks for real joins, None when nothing."""
    return browser.available() or sound.available()


async def measure_joins(
    sold: Callable[[], Awaitable[str]], movie_start: datetime, count: int
) -> list[MeasuredJoin]:
    """Join *count* times, each on a fresh device with its own profile and the link of its ticket.

    Every link is *sold* anew: a ticket is for a few devices. One during which others had more of
    the machine than STOLEN_LIMIT is taken again, whatever was heard, six times in all.
    """
    found: list[MeasuredJoin] = []
    again = 0
    with sound.sound_card() as card:
        async with browser.chromium(card) as chromium:
            while len(found) < count:
                listen_url = await sold()
                stolen = Stolen()
                recorder = card.recorder()
                recorder.start()
                try:
                    context = await browser.phone(chromium)
                    join = await browser.join(
                        await context.new_page(), recorder, listen_url, listen_s=_LISTEN_S
                    )
                    await context.close()
                finally:
                    recorder.stop()
                share = stolen.share()
                if share > STOLEN_LIMIT and again < _MOST_AGAIN:
                    again += 1
                    continue
                found.append(replace(measured(join, movie_start, _SETTLED_S), stolen=share))
    return found


def measured(join: browser.Join, movie_start: datetime, settled_s: float) -> MeasuredJoin:
    """What a join heard, from *settled_s* after its tap on, against the film's time."""
    errors = join.errors_ms(movie_start.timestamp(), since_tap_s=settled_s)
    first = join.first_sound_at
    return MeasuredJoin(
        error_ms=max(errors, key=abs, default=float("inf")),
        bound_ms=join.bound_s * 1000,
        marks=len(errors),
        sound_after_s=None if first is None else first - join.tapped_at,
    )
