"""Bit rates as a playlist must declare them, measured from the segments themselves.

What an encoder was asked for, and what ffmpeg declares, is up to 8 % off (measured: the native AAC
encoder overshoots on hard speech).
"""

from __future__ import annotations

from collections.abc import Sequence

from media.grid import SAMPLE_RATE_HZ
from media.track import Piece


def average_bps(segments: Sequence[Piece]) -> int:
    """Rate of all *segments* together, rounded up (AVERAGE-BANDWIDTH, RFC 8216bis 4.4.6.2)."""
    return _rate_bps(sum(s.size for s in segments), sum(s.samples for s in segments))


def peak_bps(segments: Sequence[Piece], target_duration_s: int) -> int:
    """Largest rate of any contiguous run that lasts 0.5 to 1.5 target durations, both included.

    This is the "peak segment bit rate" that BANDWIDTH declares (RFC 8216 4.1, 8216bis 4.4.6.2).
    Where no run is long enough (a sound of under half a target duration) it is the average. Rounded
    up, because BANDWIDTH is an upper bound.
    """
    shortest = target_duration_s * SAMPLE_RATE_HZ / 2
    longest = target_duration_s * SAMPLE_RATE_HZ * 3 / 2
    peak = 0
    for first in range(len(segments)):
        size = samples = 0
        for segment in segments[first:]:
            size += segment.size
            samples += segment.samples
            if samples > longest:
                break
            if samples >= shortest:
                peak = max(peak, _rate_bps(size, samples))
    return peak or average_bps(segments)


def _rate_bps(size_bytes: int, samples: int) -> int:
    # Whole numbers throughout, rounded up: a float would lose the last digit of a long film.
    return -(-size_bytes * 8 * SAMPLE_RATE_HZ // samples)
