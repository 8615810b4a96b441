"""Loudness of a mono programme: integrated, range and over time (EBU R 128).

Gated loudness by ITU-R BS.1770-5 Annex 1, momentary and short-term by EBU Tech 3341, range by EBU
Tech 3342. Mean squares of 100 ms are all that is kept, so two hours take 0.6 MB.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import sosfilt

from media.grid import SAMPLE_RATE_HZ
from packager.quality.growing import Growing

Array = NDArray[np.float64]

# What stands for "no loudness at all": the absolute gate (BS.1770-5 Annex 1, 5.1).
FLOOR_LUFS = -70.0

# K-weighting at 48 kHz: the head's shelf, then the high-pass (BS.1770-5 Annex 1, tables 1 and 2).
_SHELF = (1.53512485958697, -2.69169618940638, 1.19839281085285)
_SHELF_FEEDBACK = (1.0, -1.69065929318241, 0.73248077421585)
_HIGH_PASS = (1.0, -2.0, 1.0)
_HIGH_PASS_FEEDBACK = (1.0, -1.99004745483398, 0.99007225036621)
_K_WEIGHTING = np.array([_SHELF + _SHELF_FEEDBACK, _HIGH_PASS + _HIGH_PASS_FEEDBACK])
_STEP_SAMPLES = SAMPLE_RATE_HZ // 10
# Momentary loudness is over 400 ms and short-term over 3 s (Tech 3341 2.2), both each 100 ms: 75 %
# of overlap in the gated measure (BS.1770-5 Annex 1), at least 10 Hz in the range (Tech 3342 3).
_MOMENTARY_STEPS = 4
_SHORT_TERM_STEPS = 30
_OFFSET_LU = -0.691
_NOTHING_LUFS = -144.0
_GATE_LU = -10.0
_RANGE_GATE_LU = -20.0
_RANGE_PERCENTILES = (10.0, 95.0)


class LoudnessMeter:
    """Takes a mono programme at 48 kHz block by block."""

    def __init__(self) -> None:
        self._state = np.zeros((len(_K_WEIGHTING), 2))
        self._mean_squares = Growing(np.dtype(np.float64))

    def feed(self, block: NDArray[np.float32]) -> None:
        """Take the next samples: whole tenths of a second, but for the last block.

        What is left of an unfinished tenth does not count (BS.1770-5 Annex 1: an incomplete gating
        block at the end is not used).
        """
        weighted, self._state = sosfilt(_K_WEIGHTING, block.astype(np.float64), zi=self._state)
        whole = len(block) // _STEP_SAMPLES * _STEP_SAMPLES
        steps = weighted[:whole].reshape(-1, _STEP_SAMPLES)
        self._mean_squares.add(np.einsum("ij,ij->i", steps, steps) / _STEP_SAMPLES)

    def curves(self) -> LoudnessCurves:
        """Loudness over time of what was fed."""
        return LoudnessCurves(self._mean_squares.array())


class LoudnessCurves:
    """Mean squares of K-weighted sound for each 100 ms, and what is read from them."""

    def __init__(self, steps: Array) -> None:
        self._momentary = _moving_mean(steps, _MOMENTARY_STEPS)
        self._short_term = _moving_mean(steps, _SHORT_TERM_STEPS)
        self._steps = len(steps)

    def integrated_lufs(self, gain_db: float = 0.0) -> float:
        """Gated loudness with *gain_db* applied; FLOOR_LUFS where nothing passes the gate."""
        blocks = self._momentary * 10 ** (gain_db / 10)
        above = blocks[_lufs(blocks) > FLOOR_LUFS]
        if not len(above):
            return FLOOR_LUFS
        gated = above[_lufs(above) > float(_lufs(above.mean())) + _GATE_LU]
        return float(_lufs(gated.mean()))

    def range_lu(self, gain_db: float = 0.0) -> float:
        """Loudness range with *gain_db* applied; 0 where there is less than 3 s of sound."""
        blocks = self._short_term * 10 ** (gain_db / 10)
        above = blocks[_lufs(blocks) >= FLOOR_LUFS]
        if not len(above):
            return 0.0
        gated = above[_lufs(above) >= float(_lufs(above.mean())) + _RANGE_GATE_LU]
        low, high = np.percentile(_lufs(gated), _RANGE_PERCENTILES)
        return float(high - low)

    def momentary_lufs(self) -> NDArray[np.float32]:
        """Loudest momentary loudness of each second; -inf where there is no sound."""
        return self._loudest_of_seconds(self._momentary, _MOMENTARY_STEPS)

    def short_term_lufs(self) -> NDArray[np.float32]:
        """Loudest short-term loudness of each second; -inf where there is no sound."""
        return self._loudest_of_seconds(self._short_term, _SHORT_TERM_STEPS)

    def _loudest_of_seconds(self, blocks: Array, width: int) -> NDArray[np.float32]:
        seconds = -(-self._steps // 10)
        loudest = np.full(10 * seconds, -np.inf)
        # A block belongs to the step at which it ends, as a meter shows it.
        loudest[width - 1 : width - 1 + len(blocks)] = _lufs(blocks)
        # A filter's last vibrations are no sound (24 bits end at -144 dBFS).
        loudest[loudest < _NOTHING_LUFS] = -np.inf
        of_seconds: Array = loudest.reshape(seconds, 10).max(axis=1, initial=-np.inf)
        return of_seconds.astype(np.float32)


def _moving_mean(values: Array, width: int) -> Array:
    if len(values) < width:
        return np.zeros(0)
    # Not a running sum, whose rounding errors would fill digital silence with sound.
    windows = np.lib.stride_tricks.sliding_window_view(values, width)
    mean: Array = windows.mean(axis=1)
    return mean


def _lufs(mean_squares: Array) -> Array:
    """Loudness of mean squares (BS.1770-5 Annex 1, equation 2; a mono channel weighs 1)."""
    with np.errstate(divide="ignore"):
        result: Array = _OFFSET_LU + 10 * np.log10(mean_squares)
    return result
