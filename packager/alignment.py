"""Whether decoded sound lies where the source's lies: cross-correlation in a few short windows.

The windows are taken from the source while it is checked, one loud moment in each eighth of it, and
found again while a rendition is decoded; so both sides are read once, as a stream.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import mul

WINDOW_SAMPLES = 2048
# Further than the errors that are known (docs/measurements.md): 1,024 of AAC's priming, 312 and 960
# of Opus.
MOST_LAG_SAMPLES = 1100
_WINDOWS = 8
# -30 dBFS in 16 bits: speech, not the room between two sentences.
_LOUD = 1000
# Lags that the first window leaves in question.
_CANDIDATES = 30
# Correlation so weak that the largest of it may be chance (2,200 lags of noise reach about 0.05).
_MEASURABLE = 0.1
# A steady tone correlates as well one period away: lag 0 is right if it is as good as the best.
_AS_GOOD = 0.02


@dataclass(frozen=True, slots=True)
class Window:
    """`samples` of the source from sample `start` on."""

    start: int
    samples: array[int]


class WindowPicker:
    """Takes the source's sound block by block and keeps the windows to compare."""

    def __init__(self, expected_samples: int) -> None:
        self._slot_samples = max(expected_samples // _WINDOWS, 4 * WINDOW_SAMPLES)
        self._position = 0
        self._rest: array[int] = array("h")
        self._slot = -1
        self._best_peak = 0
        self._windows: list[Window] = []

    def feed(self, samples: array[int]) -> None:
        """Look at the next *samples*."""
        self._rest.extend(samples)
        whole = len(self._rest) - len(self._rest) % WINDOW_SAMPLES
        for at in range(0, whole, WINDOW_SAMPLES):
            self._look(self._position + at, at)
        self._position += whole
        del self._rest[:whole]

    def windows(self) -> tuple[Window, ...]:
        """Return what was kept: at most one window a slot, none where all is digital silence."""
        return tuple(self._windows)

    def _look(self, start: int, at: int) -> None:
        if start < MOST_LAG_SAMPLES:
            return  # no room to look for it earlier
        slot = start // self._slot_samples
        if slot != self._slot:
            self._slot, self._best_peak = slot, 0
        if self._best_peak >= _LOUD:
            return
        # Some samples tell loud from silent; 17 apart, because a tone could be 0 at every 16th.
        peak = max(self._rest[at : at + WINDOW_SAMPLES : 17])
        if peak > self._best_peak:
            if self._best_peak:
                self._windows.pop()
            self._best_peak = peak
            self._windows.append(Window(start, self._rest[at : at + WINDOW_SAMPLES]))


class WindowFinder:
    """Takes decoded sound block by block, counts it and keeps what lies around the windows."""

    def __init__(self, windows: Sequence[Window]) -> None:
        self.samples = 0
        self._waiting = sorted(windows, key=lambda window: window.start)
        self._open: list[tuple[Window, array[int]]] = []
        self._found: list[tuple[Window, array[int]]] = []

    def feed(self, samples: array[int]) -> None:
        """Look at the next *samples*."""
        start, end = self.samples, self.samples + len(samples)
        self.samples = end
        while self._waiting and self._waiting[0].start - MOST_LAG_SAMPLES < end:
            self._open.append((self._waiting.pop(0), array("h")))
        still_open: list[tuple[Window, array[int]]] = []
        for window, around in self._open:
            first = window.start - MOST_LAG_SAMPLES + len(around)
            last = window.start + WINDOW_SAMPLES + MOST_LAG_SAMPLES
            around.extend(samples[first - start : last - start])
            whole = len(around) == WINDOW_SAMPLES + 2 * MOST_LAG_SAMPLES
            (self._found if whole else still_open).append((window, around))
        self._open = still_open

    def lag(self) -> int | None:
        """By how many samples the decoded sound is late; None where it cannot be measured.

        The first window is compared at every lag, the others at its best ones alone; takes about
        0.2 s of arithmetic.
        """
        if not self._found:
            return None
        first, *others = self._found
        scores = _correlations(*first, range(2 * MOST_LAG_SAMPLES + 1))
        near = range(MOST_LAG_SAMPLES - 1, MOST_LAG_SAMPLES + 2)
        candidates = sorted({*near, *sorted(scores, key=scores.__getitem__)[-_CANDIDATES:]})
        for other in others:
            for at, score in _correlations(*other, candidates).items():
                scores[at] += score
        best: int = max(candidates, key=scores.__getitem__)
        if scores[best] < _MEASURABLE * len(self._found):
            return None
        at_zero = max(near, key=scores.__getitem__)
        if scores[at_zero] >= scores[best] - _AS_GOOD * len(self._found):
            best = at_zero
        return best - MOST_LAG_SAMPLES


def _correlations(window: Window, around: array[int], places: Iterable[int]) -> dict[int, float]:
    """Normalised correlation of *window* with what lies at each of *places* in *around*."""
    reference, sound = _emphasised(window.samples), _emphasised(around)
    size = len(reference)
    energies = list(accumulate((value * value for value in sound), initial=0.0))
    energy = sum(map(mul, reference, reference))
    scores = {}
    for at in places:
        scale = math.sqrt(energy * (energies[at + size] - energies[at]))
        product = sum(map(mul, reference, sound[at : at + size]))
        scores[at] = product / scale if scale else 0.0
    return scores


def _emphasised(samples: array[int]) -> list[float]:
    """Steps from each sample to the next, which favours the high bands.

    Opus removes what is below 3 Hz; that filter's phase moves a low voice by some samples, and the
    consonants not at all.
    """
    return [float(after - before) for before, after in pairwise(samples)]
