"""Where the film's time lies in a source: conforming to another frame rate, leader and offset."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from packager.errors import TimingError

# 24000/1001 is what "23.976" stands for (SMPTE ST 2067-21 6.2.3 names rates as such pairs).
_RATE = re.compile(r"([1-9][0-9]{0,5})(?:/([1-9][0-9]{0,4}))?")
_TIMECODE = re.compile(r"(?:(?:([0-9]{1,2}):)?([0-5]?[0-9]):)?([0-9]+)(?:[.,]([0-9]{1,6}))?")
# One octave: what lies beyond is a mistake of writing.
_MOST = Fraction(2)


@dataclass(frozen=True, slots=True)
class Conform:
    """From the frame rate that a source was made for to the one at which the film runs."""

    source_fps: Fraction
    film_fps: Fraction

    @property
    def stretch(self) -> Fraction:
        """By what the sound's length is multiplied: 25/24 where a 25 fps master plays at 24."""
        return self.source_fps / self.film_fps

    @property
    def tempo(self) -> Fraction:
        """By what its speed is multiplied."""
        return self.film_fps / self.source_fps

    def samples(self, samples: int) -> int:
        """How many samples *samples* of the source become, exactly."""
        return round(samples * self.stretch)

    def __str__(self) -> str:
        return f"{self.source_fps}:{self.film_fps}"


@dataclass(frozen=True, slots=True)
class Timing:
    """How a source lies on the film's timeline.

    *film_starts_at_s* is where in the source, as delivered, the film's first frame lies: what is
    before it (leader, slate, line-up tone, 2-pop) is cut, so that nobody hears it and nothing
    measures it. *track_offset_s* is where the first sample that is kept lies on the film's
    timeline.
    """

    conform: Conform | None = None
    film_starts_at_s: float = 0.0
    track_offset_s: float = 0.0


def parse_conform(text: str) -> Conform:
    """Read `25:24` or `24000/1001:24`: the source's frame rate, then the film's.

    Raises TimingError.
    """
    rates = [_RATE.fullmatch(part) for part in text.split(":")]
    if len(rates) != 2 or rates[0] is None or rates[1] is None:
        raise TimingError(
            text,
            "is no pair of frame rates",
            "write the source's rate, a colon and the film's, as 25:24 or 24000/1001:24",
        )
    source, film = (Fraction(int(rate[1]), int(rate[2] or 1)) for rate in rates if rate)
    conform = Conform(source, film)
    if not 1 / _MOST <= conform.stretch <= _MOST:
        raise TimingError(
            text,
            f"would make the sound {float(conform.stretch):g} times as long",
            "check both rates; they may not differ by more than a factor of two",
        )
    return conform


def parse_timecode(text: str) -> float:
    """Read `00:00:08.000`, `1:35:20`, `95:20` or `8.5` as seconds; raises TimingError."""
    match = _TIMECODE.fullmatch(text.strip())
    if match is None or (match[2] is not None and int(match[3]) >= 60):
        raise TimingError(
            text, "is no time", "write hours:minutes:seconds, as 00:00:08.000, or seconds alone"
        )
    hours, minutes, whole, part = (match[number] or "0" for number in range(1, 5))
    return int(hours) * 3600 + int(minutes) * 60 + float(f"{whole}.{part}")
