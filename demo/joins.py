"""Real joins: Chromium opens the link, the button is pressed, and the sound is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from demo import browser, sound

# Heard for so long after the tap; what counts begins here.
_LISTEN_S = 12.0
_SETTLED_S = 2.0


@dataclass(frozen=True, slots=True)
class MeasuredJoin:
    """`error_ms` is the worst of the seconds heard from 2 s after the tap, positive ahead.

    It is true within `bound_ms`. `marks` seconds were read; the first sound came `sound_after_s`
    after the tap.
    """

    error_ms: float
    bound_ms: float
    marks: int
    sound_after_s: float | None

    def __str__(self) -> str:
        """The figures as a person reads them."""
        if self.sound_after_s is None:
            return "no sound came"
        return (
            f"{self.error_ms:+.1f} ms ± {self.bound_ms:.1f} at worst in {self.marks} s, "
            f"first sound {self.sound_after_s:.2f} s after the tap"
        )


def missing_for_joins() -> str | None:
    """Return what this machine lacks for real joins, None when nothing."""
    return browser.available() or sound.available()


async def measure_joins(listen_url: str, movie_start: datetime, count: int) -> list[MeasuredJoin]:
    """Join *count* times, each on a fresh device with its own profile."""
    found = []
    with sound.sound_card() as card:
        async with browser.chromium(card) as chromium:
            for _ in range(count):
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
                found.append(measured(join, movie_start, _SETTLED_S))
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
