"""Declared bit rates, by hand-made segments."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from media.bandwidth import average_bps, peak_bps
from media.grid import SAMPLE_RATE_HZ, SEGMENT_SAMPLES
from media.track import Piece

TARGET_S = 6


def _segments(*sizes_and_seconds: tuple[int, float]) -> tuple[Piece, ...]:
    offset = 0
    pieces = []
    for size, seconds in sizes_and_seconds:
        pieces.append(Piece(offset, size, round(seconds * SAMPLE_RATE_HZ)))
        offset += size
    return tuple(pieces)


def test_average_is_all_bits_over_all_time() -> None:
    """Every segment counts by its own length."""
    assert average_bps(_segments((6000, 6.0), (1000, 2.0))) == 7000


def test_rates_are_rounded_up() -> None:
    """A declared rate is an upper bound: one bit a second more, never less."""
    assert average_bps(_segments((100, 3.0))) == 267
    assert average_bps((Piece(0, 4000, SEGMENT_SAMPLES),)) == 5556


def test_peak_is_the_largest_run() -> None:
    """With segments of 5.76 s only single ones lie within 3 to 9 s."""
    segments = _segments((4000, 5.76), (9000, 5.76), (8000, 5.76))
    assert peak_bps(segments, TARGET_S) == 12_500


def test_short_segment_counts_with_its_neighbour() -> None:
    """A last segment under half a target duration is no run by itself, but ends one of 7.76 s."""
    segments = _segments((5760, 5.76), (4000, 2.0))
    assert peak_bps(segments, TARGET_S) == 10_062  # 9,760 bytes in 7.76 s
    assert peak_bps(segments, TARGET_S) < 16_000  # the last one alone


def test_bounds_of_a_run_are_included() -> None:
    """Runs of exactly 0.5 and exactly 1.5 target durations count; longer and shorter do not."""
    assert peak_bps(_segments((3000, 3.0), (1000, 6.0)), TARGET_S) == 8000
    assert peak_bps(_segments((3000, 2.99), (1000, 6.0)), TARGET_S) == 3560
    assert peak_bps(_segments((3000, 2.99), (1000, 6.1)), TARGET_S) == 1312


def test_sound_shorter_than_any_run_has_its_average() -> None:
    """A track of one second has a peak all the same."""
    segments = _segments((1000, 1.0))
    assert peak_bps(segments, TARGET_S) == average_bps(segments) == 8000


@given(
    sizes_and_samples=st.lists(
        st.tuples(st.integers(1, 200_000), st.integers(1, 3 * TARGET_S * SAMPLE_RATE_HZ)),
        min_size=1,
        max_size=12,
    )
)
def test_rates_are_those_of_the_definition(sizes_and_samples: list[tuple[int, int]]) -> None:
    """Any segments: the largest of all runs in the window, and the average; rounded up, no more."""
    segments = tuple(Piece(0, size, samples) for size, samples in sizes_and_samples)
    runs = [segments[i:j] for i in range(len(segments)) for j in range(i + 1, len(segments) + 1)]
    rates = [
        (sum(s.samples for s in run), Fraction(sum(s.size for s in run) * 8 * SAMPLE_RATE_HZ))
        for run in runs
    ]
    low, high = TARGET_S * SAMPLE_RATE_HZ / 2, TARGET_S * SAMPLE_RATE_HZ * 3 / 2
    inside = [bits / samples for samples, bits in rates if low <= samples <= high]
    average = rates[len(segments) - 1][1] / rates[len(segments) - 1][0]
    assert 0 <= average_bps(segments) - average < 1
    assert 0 <= peak_bps(segments, TARGET_S) - max(inside, default=average) < 1
