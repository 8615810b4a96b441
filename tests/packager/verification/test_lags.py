"""Finding by how much one sound lies beside another."""

from __future__ import annotations

import numpy as np
import pytest

from packager.verification.lags import MOST_LAG_SAMPLES, WINDOW_SAMPLES, Lag, Sound, WindowFinder
from packager.verification.reference import WindowPicker
from tests.sounds import speech_like


def _speech(seconds: float, seed: int = 1) -> Sound:
    return (np.asarray(speech_like(seconds, seed=seed)) / 32768).astype(np.float32)


def _lags(source: Sound, decoded: Sound, block: int = 48_000) -> tuple[Lag, ...]:
    picker = WindowPicker(len(source))
    picker.feed(source)
    finder = WindowFinder(picker.windows())
    for at in range(0, len(decoded), block):
        finder.feed(decoded[at : at + block])
    return finder.finish()


def _silence(samples: int) -> Sound:
    return np.zeros(samples, np.float32)


@pytest.mark.parametrize("late", [0, 1, 312, 960, 1024, MOST_LAG_SAMPLES])
def test_late_sound_is_measured(late: int) -> None:
    """Sound that was moved later is late by that many samples, at every place."""
    source = _speech(3.0)
    lags = _lags(source, np.concatenate([_silence(late), source]))
    assert len(lags) == 3
    assert all(abs(lag.samples - late) < 0.01 for lag in lags)


def test_early_sound_is_measured() -> None:
    """A sound whose beginning is missing is early, which is a negative lag."""
    source = _speech(3.0)
    assert {round(lag.samples, 2) for lag in _lags(source, source[312:])} == {-312.0}


def test_part_of_a_sample_is_measured() -> None:
    """Half a sample of delay, which a filter could bring, is seen as such."""
    source = _speech(3.0)
    spectrum = np.fft.rfft(source)
    turn = np.exp(-1j * np.pi * 0.5 * np.arange(len(spectrum)) / (len(spectrum) - 1))
    late = np.fft.irfft(spectrum * turn).astype(np.float32)
    assert all(abs(lag.samples - 0.5) < 0.1 for lag in _lags(source, late))


def test_sound_that_jumps_is_seen_where_it_jumps() -> None:
    """What is right in the beginning and late at the end gives both, not a mean of them."""
    source = _speech(6.0)
    middle = len(source) // 2
    jumps = np.concatenate([source[:middle], _silence(960), source[middle:]])
    early, late = _lags(source, jumps)[0], _lags(source, jumps)[-1]
    assert (round(early.samples), round(late.samples)) == (0, 960)


def test_size_of_blocks_does_not_matter() -> None:
    """The sound may come in any pieces."""
    source = _speech(2.0)
    late = np.concatenate([_silence(100), source])
    assert _lags(source, late, 997) == _lags(source, late, WINDOW_SAMPLES) == _lags(source, late)


def test_quieter_and_noisier_sound_is_measured_as_well() -> None:
    """Level has nothing to do with it, and what a codec adds little; the likeness says how much."""
    source = _speech(2.0)
    noise = np.random.default_rng(3).normal(0, 0.01, len(source)).astype(np.float32)
    for lag in _lags(source, (source / 5 + noise).astype(np.float32)):
        assert abs(lag.samples) < 0.5
        assert 0.3 < lag.likeness < 0.99


def test_steady_tone_counts_as_aligned() -> None:
    """A tone looks the same one period later; that is not taken for a shift."""
    tone = (0.3 * np.sin(2 * np.pi * np.arange(96_000) / 8)).astype(np.float32)
    assert all(abs(lag.samples) < 0.01 for lag in _lags(tone, tone))


def test_silence_and_unlike_sound_cannot_be_measured() -> None:
    """Digital silence, or another sound altogether, gives no answer instead of a wrong one."""
    assert _lags(_silence(96_000), _silence(96_000)) == ()
    noise = np.random.default_rng(4).normal(0, 0.1, 96_000).astype(np.float32)
    assert _lags(_speech(2.0), noise) == ()


def test_windows_are_spread_over_the_sound() -> None:
    """One window lies in each part, so that a jump anywhere would show."""
    source = np.random.default_rng(5).normal(0, 0.1, 48_000 * 48).astype(np.float32)
    picker = WindowPicker(len(source))
    for at in range(0, len(source), 480_000):
        picker.feed(source[at : at + 480_000])
    parts = [window.start * 24 // len(source) for window in picker.windows()]
    assert parts == list(range(24))
