"""By how much decoded sound lies beside the prepared sound: correlation in half-second windows.

The windows are taken from the prepared sound, one loud moment in each of 24 equal parts of it, and
are looked for while a rendition is decoded; so both sides are read once, as a stream.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Sound = NDArray[np.float32]

# Long enough that a voice is found to a fifth of a sample, at 24 kbit/s too (docs/encoders.md).
WINDOW_SAMPLES = 24_000
# Further than the errors that are known (docs/measurements.md): 1,024 of AAC's priming, 312 and 960
# of Opus.
MOST_LAG_SAMPLES = 2_048
WINDOWS = 24
# Correlation so weak that the largest of it may be chance: noise of that many lags reaches 0.03.
_MEASURABLE = 0.2
# A steady tone correlates as well one period away: lag 0 is right if it is as good as the best.
_AS_GOOD = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """`sound` is what the prepared sound has from sample `start` on."""

    start: int
    sound: Sound


@dataclass(frozen=True, slots=True)
class Lag:
    """By how many samples the sound around `start` is late, and how like it is (1.0: the same)."""

    start: int
    samples: float
    likeness: float


class WindowFinder:
    """Takes decoded sound block by block and keeps what lies around the windows."""

    def __init__(self, windows: Sequence[Window]) -> None:
        self._waiting = sorted(windows, key=lambda window: window.start)
        self._open: list[tuple[Window, list[Sound]]] = []
        self._lags: list[Lag] = []
        self._position = 0

    def feed(self, block: Sound) -> None:
        """Look at the next *block*."""
        start, end = self._position, self._position + len(block)
        self._position = end
        while self._waiting and self._waiting[0].start - MOST_LAG_SAMPLES < end:
            window = self._waiting.pop(0)
            # Before the sound's first sample there is silence.
            before = max(0, MOST_LAG_SAMPLES - window.start)
            self._open.append((window, [np.zeros(before, np.float32)]))
        still_open = []
        for window, pieces in self._open:
            first = window.start - MOST_LAG_SAMPLES
            last = first + len(window.sound) + 2 * MOST_LAG_SAMPLES
            # Copied: the block's memory is used again for the next one.
            pieces.append(block[max(first - start, 0) : max(last - start, 0)].copy())
            if last <= end:
                self._measure(window, pieces)
            else:
                still_open.append((window, pieces))
        self._open = still_open

    def finish(self) -> tuple[Lag, ...]:
        """Return the lags of all windows that could be measured, in the order of their place."""
        for window, pieces in self._open:
            # The sound ended within the margin: after its end there is silence.
            self._measure(window, pieces)
        self._open = []
        return tuple(self._lags)

    def _measure(self, window: Window, pieces: list[Sound]) -> None:
        around = np.concatenate(pieces)
        missing = len(window.sound) + 2 * MOST_LAG_SAMPLES - len(around)
        lag = measure_lag(window.sound, np.pad(around, (0, missing)))
        if lag is not None:
            self._lags.append(Lag(window.start, *lag))


def measure_lag(sound: Sound, around: Sound) -> tuple[float, float] | None:
    """Lag in samples and likeness of *sound* in *around*, which has the margin on both sides.

    None where there is nothing like it: silence, or noise that the encoder replaced by its own.

    A low rate smears a hard click, and a codec's filter delays a low voice: each moves one of two
    views of the sound, its steps or the sound itself. A file that lies beside its place moves both,
    so where the steps are off by a sample the sound itself may say that it is right.
    """
    by_steps = _correlate(_steps(sound), _steps(around))
    if by_steps is None or abs(by_steps[0]) < 1.0:
        return by_steps
    plain = _correlate(sound, around)
    return plain if plain is not None and abs(plain[0]) < 1.0 else by_steps


def _correlate(reference: Sound, there: Sound) -> tuple[float, float] | None:
    # Long enough for every lag that is looked at; what wraps around is beyond them.
    size = fft.next_fast_len(len(there), real=True)
    spectrum = np.conj(fft.rfft(reference, size)) * fft.rfft(there, size)
    products = fft.irfft(spectrum, size)[: 2 * MOST_LAG_SAMPLES + 1]
    energies = np.concatenate(([0.0], np.cumsum(there * there, dtype=np.float64)))
    nearby = energies[len(reference) :][: len(products)] - energies[: len(products)]
    scale = np.sqrt(np.maximum(nearby, 0.0) * float(reference @ reference))
    scores = np.divide(products, scale, out=np.zeros_like(scale), where=scale > scale.max() * 1e-6)
    best = int(np.argmax(scores))
    near_zero = scores[MOST_LAG_SAMPLES - 1 : MOST_LAG_SAMPLES + 2]
    if float(near_zero.max()) >= float(scores[best]) - _AS_GOOD:
        best = MOST_LAG_SAMPLES - 1 + int(np.argmax(near_zero))
    likeness = float(scores[best])
    if not math.isfinite(likeness) or likeness < _MEASURABLE:
        return None
    return best - MOST_LAG_SAMPLES + _vertex(scores, best), likeness


def _vertex(scores: NDArray[np.float64], at: int) -> float:
    """Where the parabola through the score at *at* and its neighbours is highest, -0.5 to 0.5."""
    if not 0 < at < len(scores) - 1:
        return 0.0
    before, here, after = (float(value) for value in scores[at - 1 : at + 2])
    bend = before - 2 * here + after
    return max(-0.5, min(0.5, (before - after) / (2 * bend))) if bend < 0 else 0.0


def _steps(sound: Sound) -> Sound:
    """Steps from each sample to the next, which favours the high bands.

    Opus removes what is below 3 Hz; that filter's phase moves a low voice by some samples, and the
    consonants not at all.
    """
    return np.diff(sound, prepend=np.float32(0))
