"""Whether a track is as long as its film, and if not, whether a frame rate explains it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from packager.quality.findings import Finding
from packager.quality.judging import Judge, clock
from packager.source.timing import Conform, Timing

# Rates at which films and television are made (SMPTE ST 2067-21 6.2.3, less the doubled ones).
_RATES = (
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
)
# A rate explains a length to within 0.02 %, 1.4 s in two hours: 24 and 23.976 differ by 0.1 %.
_EXACTNESS = 0.0002


def check_running_time(
    judge: Judge, length_s: float, timing: Timing, running_time_s: float | None, film_rate: Fraction
) -> Iterator[Finding]:
    """Compare a prepared sound of *length_s* with a film of *running_time_s* at *film_rate*."""
    if running_time_s is None:
        yield judge.find(
            "running-time-unknown",
            "nobody said how long the film is, so a missing end or a wrong frame rate is not seen",
            "say it with --running-time, or in a file beside the source",
        )
        return
    wanted_s = running_time_s - timing.track_offset_s
    missing_s = wanted_s - length_s
    conform = _explaining(length_s, wanted_s, timing, film_rate)
    exact = abs(missing_s) <= _EXACTNESS * wanted_s
    if conform is not None and not exact and conform.source_fps == conform.film_fps:
        yield judge.find(
            "frame-rate",
            f"is {clock(length_s)} long, the film {clock(wanted_s)}: without the conforming to "
            f"{timing.conform} it would fit",
            "leave out --conform",
        )
    elif conform is not None and not exact:
        yield judge.find(
            "frame-rate",
            f"is {clock(length_s)} long, the film {clock(wanted_s)}: as long as a master for "
            f"{_rate_text(conform.source_fps)} fps is for a film at {_rate_text(conform.film_fps)}",
            f"conform it: --conform {conform}",
        )
    elif missing_s > judge.settings.running_time_tolerance_s:
        yield judge.find(
            "running-time",
            f"ends {missing_s:.1f} s before the film, which lasts {clock(running_time_s)}",
            "ask whether its end is missing, and check --film-starts-at and --track-offset",
            at_s=length_s,
            until_s=max(wanted_s, length_s),
        )
    elif missing_s < -judge.settings.running_time_tolerance_s:
        yield judge.find(
            "running-time",
            f"goes on for {-missing_s:.1f} s after the film, which lasts {clock(running_time_s)}",
            "ask whether it is of the same cut, and check --film-starts-at and --track-offset",
            at_s=max(wanted_s, 0.0),
            until_s=length_s,
        )


def _explaining(
    length_s: float, wanted_s: float, timing: Timing, film_rate: Fraction
) -> Conform | None:
    """The conforming with which the sound would be as long as the film; None if none is."""
    stretched = Fraction(1) if timing.conform is None else timing.conform.stretch
    for rate in sorted({*_RATES, film_rate}, key=lambda rate: abs(rate - film_rate)):
        conform = Conform(rate, film_rate)
        would_be_s = length_s * float(conform.stretch / stretched)
        if conform.stretch != stretched and abs(would_be_s - wanted_s) <= _EXACTNESS * wanted_s:
            return conform
    return None


def _rate_text(rate: Fraction) -> str:
    return str(rate) if rate.denominator == 1 else f"{float(rate):.3f}"
