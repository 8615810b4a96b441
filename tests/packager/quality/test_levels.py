"""Pauses of the narrator, digital silence, and the waveform."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from packager.quality.levels import LevelMeter, Levels
from tests.packager.signals import RATE_HZ, silence, tone

SPEECH_LUFS = -23.0


def _levels(sound: NDArray[np.float64]) -> Levels:
    meter = LevelMeter()
    for at in range(0, len(sound), RATE_HZ):
        meter.feed(sound[at : at + RATE_HZ].astype(np.float32))
    return meter.levels()


def _seconds(spans: tuple[tuple[int, int], ...]) -> list[tuple[float, float]]:
    return [(first / RATE_HZ, last / RATE_HZ) for first, last in spans]


def _room(seconds: float, dbfs: float) -> NDArray[np.float64]:
    noise = np.random.default_rng(1).standard_normal(round(seconds * RATE_HZ))
    result: NDArray[np.float64] = 10 ** (dbfs / 20) * noise
    return result


def test_pauses_of_300_ms_and_longer_are_found() -> None:
    """Each is given by its first sample and the one after its last; shorter ones are words."""
    word = tone(-20, 0.7)
    sound = np.concatenate(
        (word, silence(0.3), word, silence(0.28), word, silence(2), word, silence(0.5))
    )
    pauses = _seconds(_levels(sound).pauses(SPEECH_LUFS))
    assert pauses == [(0.7, 1.0), (2.68, 4.68), (5.38, 5.88)]


def test_pause_of_300_ms_off_the_frames_is_found() -> None:
    """One that begins within a frame of 10 ms counts, by the frames that lie in it whole."""
    sound = np.concatenate((tone(-20, 0.7037), silence(0.3), tone(-20, 0.5)))
    ((first, last),) = _seconds(_levels(sound).pauses(SPEECH_LUFS))
    assert 0.7037 <= first < 0.7137
    assert 0.9937 < last <= 1.0037


@pytest.mark.parametrize("room_dbfs", [-80.0, -60.0, -50.0])
def test_the_room_is_no_narrator(room_dbfs: float) -> None:
    """Pauses are found over a noisy room as well."""
    sound = np.concatenate((tone(-20, 1), silence(1), tone(-20, 1), silence(0.5)))
    sound += _room(3.5, room_dbfs)
    found = _seconds(_levels(sound).pauses(SPEECH_LUFS))
    assert found == [pytest.approx((1, 2), abs=0.011), pytest.approx((3, 3.5), abs=0.011)]


def test_film_sound_under_the_narration_is_no_pause() -> None:
    """Where the film's own mix goes on between the words, nothing may be cut there."""
    sound = np.concatenate((tone(-20, 1), tone(-36, 1), tone(-20, 1)))
    assert _levels(sound).pauses(SPEECH_LUFS) == ()


def test_digital_silence_is_found_to_its_end() -> None:
    """All samples equal, also where that is not zero; the end of the sound ends it exactly."""
    sound = np.concatenate((tone(-20, 1), np.full(RATE_HZ, 0.01), _room(1, -80), silence(1.2345)))
    spans = _levels(sound).silences(1.0)
    assert _seconds(spans) == [(1.0, 2.0), (3.0, pytest.approx(4.2345, abs=1e-4))]
    assert spans[-1][1] == len(sound)


def test_waveform_has_a_row_for_each_tenth() -> None:
    """Lowest and highest sample, also of the shorter last tenth."""
    sound = np.concatenate((silence(0.1), tone(-6, 0.1) + 0.1, [0.25, -0.5]))
    levels = _levels(sound)
    assert levels.waveform == pytest.approx(np.array([[0, 0], [-0.4, 0.6], [-0.5, 0.25]]), abs=0.01)


def test_nothing_is_nothing() -> None:
    """No sound has no pauses and an empty waveform."""
    levels = _levels(silence(0))
    assert levels.pauses(-70.0) == ()
    assert levels.waveform.shape == (0, 2)
