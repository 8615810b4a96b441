"""Loudness over time, cheap enough to be measured of every rendition.

The K-weighting of ITU-R BS.1770-4 is applied to spectra of 0.1 s each instead of to the samples: a
third of the time. A filter's memory is lost between them, so the figure is within 0.1 LU of the
filters'; between the two sides of a comparison nothing is lost.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from media.grid import SAMPLE_RATE_HZ

Energies = NDArray[np.float64]

STEP_SAMPLES = SAMPLE_RATE_HZ // 10
# Below every gate: what silence is said to measure.
SILENCE_LUFS = -70.0
# ITU-R BS.1770-4, annex 1: tables 1 (the head's shelf) and 2 (the high-pass), for 48 kHz.
_SHELF = (
    [1.53512485958697, -2.69169618940638, 1.19839281085285],
    [
        1.0,
        -1.69065929318241,
        0.73248077421585,
    ],
)
_HIGH_PASS = [1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621]
# Gating blocks of 0.4 s which overlap by three quarters (annex 1, 2.8).
_BLOCK_STEPS = 4
_RELATIVE_GATE_LU = -10.0


def _weights() -> NDArray[np.float32]:
    """Weight of each spectral line's power, twice: for its real and its imaginary part."""
    lines = fft.rfftfreq(STEP_SAMPLES, 1 / SAMPLE_RATE_HZ)
    gains = np.ones(len(lines))
    for numerator, denominator in (_SHELF, _HIGH_PASS):
        _, response = signal.freqz(numerator, denominator, lines, fs=SAMPLE_RATE_HZ)
        gains *= np.abs(response) ** 2
    # Parseval: all lines but the first and the last stand for two; mean square of the step.
    gains *= 2 / STEP_SAMPLES**2
    gains[0] /= 2
    gains[-1] /= 2
    return np.repeat(gains, 2).astype(np.float32)


_WEIGHTS = _weights()


def energies(sound: NDArray[np.float32]) -> Energies:
    """K-weighted mean square of each 0.1 s of *sound*, whose length is a multiple of that."""
    spectra = fft.rfft(sound.reshape(-1, STEP_SAMPLES)).view(np.float32)
    powers: Energies = np.einsum("ij,ij,j->i", spectra, spectra, _WEIGHTS).astype(np.float64)
    return powers


def loudness_lufs(steps: Energies) -> float:
    """Integrated loudness (BS.1770-4 annex 1, 2.8) of *steps* of 0.1 s; SILENCE_LUFS at least."""
    if len(steps) < _BLOCK_STEPS:
        return SILENCE_LUFS
    blocks = np.convolve(steps, np.full(_BLOCK_STEPS, 1 / _BLOCK_STEPS), "valid")
    loud = blocks[to_lufs(blocks) > SILENCE_LUFS]
    if len(loud) == 0:
        return SILENCE_LUFS
    gate = float(to_lufs(np.array([loud.mean()]))[0]) + _RELATIVE_GATE_LU
    loud = loud[to_lufs(loud) > gate]
    return max(float(to_lufs(np.array([loud.mean()]))[0]), SILENCE_LUFS)


def to_lufs(power: Energies) -> Energies:
    """Loudness of a K-weighted mean square of one channel; -inf where there is none."""
    with np.errstate(divide="ignore"):
        lufs: Energies = -0.691 + 10 * np.log10(power)
    return lufs
