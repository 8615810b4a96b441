"""True peak: the EBU's test signals, and that looking only where it can lie changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import upfirdn

from packager.quality.true_peak import PHASE_0, PHASE_1, TruePeakMeter
from tests.packager.signals import RATE_HZ, silence, speech


def _meter(sound: NDArray[np.float64], block: int = RATE_HZ) -> TruePeakMeter:
    meter = TruePeakMeter()
    for at in range(0, len(sound), block):
        meter.feed(sound[at : at + block].astype(np.float32))
    meter.finish()
    return meter


@pytest.mark.parametrize(
    ("divisor", "degrees", "amplitude", "dbtp"),
    [(4, 0, 0.5, -6), (4, 45, 0.5, -6), (6, 60, 0.5, -6), (8, 67.5, 0.5, -6), (4, 45, 1.41, 3)],
)
def test_ebu_signals(divisor: int, degrees: float, amplitude: float, dbtp: float) -> None:
    """EBU Tech 3341 table 1, cases 15 to 19: tones at a fourth to an eighth of the rate."""
    angles = 2 * np.pi * np.arange(RATE_HZ) / divisor + np.radians(degrees)
    # Faded in, as the EBU's are: a tone that starts at once has a peak of its own.
    sound = amplitude * np.sin(angles) * np.minimum(np.arange(RATE_HZ) / 4_800, 1)
    assert dbtp - 0.4 <= _meter(sound).peak_dbtp() <= dbtp + 0.2


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_peak_is_overlooked(seed: int) -> None:
    """The result is that of oversampling everything, and its place is within a sample."""
    chance = np.random.default_rng(seed)
    sound = speech(3, seed=seed) * np.repeat(chance.uniform(0.1, 1, 30), 4_800)
    # The filter's taps, as Annex 2 interleaves the phases.
    taps = np.array([PHASE_0, PHASE_1, PHASE_1[::-1], PHASE_0[::-1]]).T.ravel()
    full = np.abs(upfirdn(taps, sound, up=4))
    meter = _meter(sound, block=7_001)
    assert meter.peak == pytest.approx(full.max(), rel=1e-4)
    assert abs(meter.at - (full.argmax() / 4 - 6)) <= 1.5


def test_peak_at_the_very_end_counts() -> None:
    """A click on the last sample is in the filter still when the sound ends."""
    sound = silence(0.1)
    sound[-1] = 0.5
    assert _meter(sound).peak_dbtp() == pytest.approx(-6.3, abs=0.2)


def test_silence_has_no_peak() -> None:
    """Digital silence has minus infinity."""
    assert np.isneginf(_meter(silence(0.5)).peak_dbtp())
