"""Rules of bit rates: what a variant declares against what its segments are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from packager.lint.playlist import MediaPlaylist, MultivariantPlaylist, Variant
from packager.lint.presentation import Presentation
from packager.lint.registry import Family, Fault
from packager.lint.rules.variants import each_variant

FAMILY = Family("bit rates")

# Apple's tolerance (1.26, 1.27), and what is left when the window is measured as it is defined.
_TOLERANCE = Fraction(10, 100)
_EXACT = Fraction(1, 1000)
_MOST_PEAK_TO_AVERAGE = 2


class Rates(NamedTuple):
    """Measured rates in bit/s."""

    peak: Fraction
    average: Fraction


@FAMILY.error(
    "bandwidth",
    "Apple HLS authoring 1.27, 9.13",
    "declare the measured peak: the largest rate over 0.5 to 1.5 target durations",
)
def _bandwidth(p: Presentation) -> Iterator[Fault]:
    """BANDWIDTH is within 10 % of the measured peak."""
    yield from _compare(p, "BANDWIDTH", lambda rates: rates.peak, _TOLERANCE)


@FAMILY.warning(
    "bandwidth-exact",
    "RFC 8216bis 4.1, 4.4.6.2",
    "declare the measured peak, rounded up",
)
def _bandwidth_exact(p: Presentation) -> Iterator[Fault]:
    """BANDWIDTH is the largest peak segment bit rate, to 0.1 %."""
    yield from _compare(p, "BANDWIDTH", lambda rates: rates.peak, _EXACT)


@FAMILY.error("average-bandwidth", "Apple HLS authoring 1.26", "declare all bits over all seconds")
def _average(p: Presentation) -> Iterator[Fault]:
    """AVERAGE-BANDWIDTH is within 10 % of the measured average."""
    yield from _compare(p, "AVERAGE-BANDWIDTH", lambda rates: rates.average, _TOLERANCE)


@FAMILY.warning(
    "average-exact", "RFC 8216bis 4.4.6.2", "declare all bits over all seconds, rounded up"
)
def _average_exact(p: Presentation) -> Iterator[Fault]:
    """AVERAGE-BANDWIDTH is the average segment bit rate, to 0.1 %."""
    yield from _compare(p, "AVERAGE-BANDWIDTH", lambda rates: rates.average, _EXACT)


@FAMILY.warning(
    "peak-to-average", "Apple HLS authoring 1.30", "bound the encoder's rate more tightly"
)
def _peak_to_average(p: Presentation) -> Iterator[Fault]:
    """The measured peak is at most twice the measured average."""
    for playlist, variant in each_variant(p):
        rates = _measured(p, playlist, variant)
        if rates is not None and rates.peak > _MOST_PEAK_TO_AVERAGE * rates.average:
            share = float(rates.peak / rates.average)
            yield Fault(playlist.name, variant.line, f"the peak is {share:.0%} of the average")


def measure(playlist: MediaPlaylist, sizes: Sequence[int]) -> Rates | None:
    """Rates of a Media Playlist whose segments have *sizes* bytes; None where nothing is known."""
    durations = [segment.duration_s for segment in playlist.segments]
    target = playlist.number("EXT-X-TARGETDURATION")
    if target is None or not durations or any(not duration for duration in durations):
        return None
    known = tuple(duration for duration in durations if duration is not None)
    return _rates(known, target, tuple(sizes))


# Each rule asks for the rates of every playlist; an hour has 625 segments.
@lru_cache(maxsize=64)
def _rates(known: tuple[Fraction, ...], target: int, sizes: tuple[int, ...]) -> Rates:
    """Peak and average of segments that last *known* seconds.

    The peak is the largest rate over any contiguous run of segments that lasts 0.5 to 1.5 target
    durations (RFC 8216bis 4.1), or the average where no run does.
    """
    average = Fraction(8 * sum(sizes)) / sum(known, Fraction(0))
    peak = Fraction(0)
    for first in range(len(known)):
        lasting, size = Fraction(0), 0
        for at in range(first, len(known)):
            lasting += known[at]
            size += sizes[at]
            if lasting > Fraction(3 * target, 2):
                break
            if lasting >= Fraction(target, 2):
                peak = max(peak, 8 * size / lasting)
    return Rates(peak or average, average)


def _compare(
    p: Presentation, name: str, of: Callable[[Rates], Fraction], tolerance: Fraction
) -> Iterator[Fault]:
    for playlist, variant in each_variant(p):
        declared, rates = variant.number(name), _measured(p, playlist, variant)
        if declared is None or rates is None:
            continue
        measured = of(rates)
        if abs(declared - measured) > tolerance * measured:
            off = float((declared - measured) / measured)
            what = f"{name} is {declared}, measured {float(measured):.0f} ({off:+.2%})"
            yield Fault(playlist.name, variant.line, what)


def _measured(p: Presentation, playlist: MultivariantPlaylist, variant: Variant) -> Rates | None:
    """Largest sum over any playable combination (4.4.6.2): of sound alone, each rendition."""
    own = _of(p, variant.url)
    members = {tag.url for tag in playlist.group(variant.attributes.get("AUDIO"))} - {None}
    if variant.url in members or not members:
        combinations = [own, *(_of(p, url) for url in members)]
    else:
        combinations = [_sum(own, _of(p, url)) for url in members]
    known = [rates for rates in combinations if rates is not None]
    if not known:
        return None
    return Rates(max(r.peak for r in known), max(r.average for r in known))


def _sum(one: Rates | None, other: Rates | None) -> Rates | None:
    if one is None or other is None:
        return None
    return Rates(one.peak + other.peak, one.average + other.average)


def _of(p: Presentation, url: str | None) -> Rates | None:
    playlist, reading = p.media.get(url or ""), p.readings.get(url or "")
    if playlist is None or reading is None:
        return None
    sizes: list[int] = []
    for segment, found in zip(playlist.segments, reading.segments, strict=True):
        # A byte range says its size; a file of its own must have been read.
        if segment.range is not None:
            sizes.append(segment.range.size)
        elif found is not None:
            sizes.append(found.size)
        else:
            return None
    return measure(playlist, sizes)
