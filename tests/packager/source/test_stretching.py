"""Conforming: another length, the same pitch, no drift."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from packager.source.stretching import Stretcher
from tests.packager.signals import RATE_HZ, speech, tone

SLOWER, FASTER, LITTLE = Fraction(25, 24), Fraction(24, 25), Fraction(1000, 1001)


def _stretched(sound: NDArray[np.float64], stretch: Fraction, block: int) -> NDArray[np.float32]:
    stretcher = Stretcher(stretch)
    blocks = [sound[at : at + block].astype(np.float32) for at in range(0, len(sound), block)]
    return np.concatenate([*map(stretcher.feed, blocks), stretcher.finish()])


@pytest.mark.parametrize("stretch", [SLOWER, FASTER, LITTLE, Fraction(1)])
@pytest.mark.parametrize("samples", [0, 1, 4_800, 480_001])
def test_length_is_exact(stretch: Fraction, samples: int) -> None:
    """Whatever the number of samples, it is multiplied and rounded once."""
    made = _stretched(speech(samples / RATE_HZ)[:samples], stretch, RATE_HZ)
    assert len(made) == round(samples * stretch)


@pytest.mark.parametrize("stretch", [SLOWER, FASTER])
def test_blocks_do_not_matter(stretch: Fraction) -> None:
    """The same sound comes out however it is fed."""
    sound = speech(6)
    assert np.array_equal(_stretched(sound, stretch, 7_919), _stretched(sound, stretch, RATE_HZ))


@pytest.mark.parametrize("stretch", [SLOWER, FASTER, LITTLE])
def test_every_instant_is_near_its_place(stretch: Fraction) -> None:
    """Clicks in a minute of hum are each there once, within 12 ms of their true time."""
    chance = np.random.default_rng(1)
    sound = tone(-26, 60, hz=110)
    places = np.cumsum(chance.uniform(0.4, 1.2, 60)) * RATE_HZ
    places = places[places < len(sound) - RATE_HZ].astype(int)
    click = np.hanning(48) * np.sin(np.arange(48) * np.pi / 6)
    for place in places:
        sound[place : place + 48] += 0.5 * click
    made = _stretched(sound, stretch, RATE_HZ)
    sharp = np.abs(np.diff(made, 2))
    peaks = np.flatnonzero(sharp > 0.06)
    heard = peaks[np.concatenate(([True], np.diff(peaks) > 240))]
    assert len(heard) == len(places)
    assert np.abs(heard - places * float(stretch)).max() < 0.012 * RATE_HZ


@pytest.mark.parametrize("stretch", [SLOWER, FASTER])
def test_pitch_is_kept(stretch: Fraction) -> None:
    """A tone of 220 Hz stays one, where plain resampling would give 211 or 229."""
    made = _stretched(tone(-20, 12, hz=220), stretch, RATE_HZ)
    spectrum = np.abs(np.fft.rfft(made * np.hanning(len(made))))
    assert np.fft.rfftfreq(len(made), 1 / RATE_HZ)[spectrum.argmax()] == pytest.approx(220, abs=0.2)


def test_beginning_is_untouched() -> None:
    """The first word begins at the same sample: t = 0 stays t = 0."""
    sound = speech(3)
    made = _stretched(sound, LITTLE, RATE_HZ)
    assert np.array_equal(made[: 2 * RATE_HZ], sound[: 2 * RATE_HZ].astype(np.float32))
