"""The master's own channels, before they are mixed: clipping, DC offset, dead ones, phase.

They are heard at their own rate: resampling would round the flat tops by which clipping is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

# A wave that ran into a limit stays on it: at least this many equal samples ...
_FLAT_SAMPLES = 3
# ... which it meets with a corner. The top of a low tone is as flat, but its sides are not steep.
_CORNER = 0.002
# Flat places in a quieter second are steps of a coarse recording.
_LEAST_PEAK = 0.1
# Quieter seconds (-60 dBFS) say nothing about phase.
_ACTIVE_MEAN_SQUARE = 1e-6


@dataclass(slots=True)
class ChannelReport:
    """What was heard; `seconds` counts blocks of one second.

    `clipped` maps a second to the places in it where a channel is clipped. `correlations` has that
    of the first two channels for each second in which both sound (NaN in the others).
    """

    channels: int
    samples: int = 0
    peaks: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    means: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    clipped: dict[int, int] = field(default_factory=dict)
    correlations: list[float] = field(default_factory=list)


class ChannelMeter:
    """Takes all channels as rows of a second each: float32 of shape (samples, channels)."""

    def __init__(self, channels: int) -> None:
        self._report = ChannelReport(channels, peaks=np.zeros(channels), means=np.zeros(channels))
        self._sums = np.zeros(channels)
        self._second = 0

    def feed(self, block: NDArray[np.float32]) -> None:
        """Take the next second, or the shorter last one."""
        report = self._report
        report.samples += len(block)
        lowest, highest = block.min(axis=0), block.max(axis=0)
        np.maximum(report.peaks, np.maximum(highest, -lowest), out=report.peaks)
        self._sums += block.sum(axis=0, dtype=np.float64)
        places = sum(
            _flat_places(block[:, channel], limit)
            for channel in range(report.channels)
            for limit in (float(lowest[channel]), float(highest[channel]))
            if abs(limit) >= _LEAST_PEAK
        )
        if places:
            report.clipped[self._second] = places
        if report.channels >= 2:
            # Front left and right come first, whatever else there is (SMPTE ST 2067-8 order).
            report.correlations.append(_correlation(block))
        self._second += 1

    def report(self) -> ChannelReport:
        """What was heard so far."""
        self._report.means = self._sums / max(self._report.samples, 1)
        return self._report


def _flat_places(sound: NDArray[np.float32], limit: float) -> int:
    """How often *sound* stays on its *limit*, coming to it or leaving it with a corner."""
    on = np.flatnonzero(sound == np.float32(limit))
    if len(on) < _FLAT_SAMPLES:
        return 0
    # First and last sample of each run of neighbours.
    breaks = np.flatnonzero(np.diff(on) > 1)
    firsts = on[np.concatenate(([0], breaks + 1))]
    lasts = on[np.concatenate((breaks, [len(on) - 1]))]
    long = lasts - firsts + 1 >= _FLAT_SAMPLES
    before = sound[np.maximum(firsts[long] - 1, 0)]
    after = sound[np.minimum(lasts[long] + 1, len(sound) - 1)]
    drop = np.maximum(np.abs(limit - before), np.abs(limit - after))
    return int(np.count_nonzero(drop >= _CORNER * abs(limit)))


def _correlation(block: NDArray[np.float32]) -> float:
    left, right = block[:, 0], block[:, 1]
    energies = float(np.dot(left, left)), float(np.dot(right, right))
    if min(energies) < _ACTIVE_MEAN_SQUARE * len(block):
        return float("nan")
    return float(np.dot(left, right)) / float(np.sqrt(energies[0] * energies[1]))
