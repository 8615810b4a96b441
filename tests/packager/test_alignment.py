"""Finding by how much one sound lies beside another."""

from __future__ import annotations

from array import array

import pytest

from packager.alignment import MOST_LAG_SAMPLES, WINDOW_SAMPLES, WindowFinder, WindowPicker
from tests.sounds import speech_like


def _lag(source: array[int], decoded: array[int], block: int = 5_000) -> int | None:
    picker = WindowPicker(len(source))
    for at in range(0, len(source), block):
        picker.feed(source[at : at + block])
    finder = WindowFinder(picker.windows())
    for at in range(0, len(decoded), block):
        finder.feed(decoded[at : at + block])
    assert finder.samples == len(decoded)
    return finder.lag()


@pytest.mark.parametrize("late", [0, 1, 312, 960, 1024, MOST_LAG_SAMPLES])
def test_late_sound_is_measured(late: int) -> None:
    """Sound that was moved later is late by that many samples."""
    source = speech_like(3.0)
    assert _lag(source, array("h", bytes(2 * late)) + source) == late


def test_early_sound_is_measured() -> None:
    """A sound whose beginning is missing is early, which is a negative lag."""
    source = speech_like(3.0)
    assert _lag(source, source[312:]) == -312


def test_size_of_blocks_does_not_matter() -> None:
    """The sound may come in any pieces."""
    source = speech_like(1.0)
    late = array("h", bytes(200)) + source
    assert {_lag(source, late, block) for block in (997, WINDOW_SAMPLES, 48_000)} == {100}


def test_quieter_sound_is_measured_as_well() -> None:
    """Level has nothing to do with it."""
    source = speech_like(2.0)
    assert _lag(source, array("h", (value // 5 for value in source))) == 0


def test_steady_tone_counts_as_aligned() -> None:
    """A tone looks the same one period later; that is not taken for a shift."""
    period = [0, 7000, 9900, 7000, 0, -7000, -9900, -7000]
    tone = array("h", period * 8_000)
    assert _lag(tone, tone) == 0


def test_silence_cannot_be_measured() -> None:
    """Digital silence gives no answer instead of a wrong one."""
    silence = array("h", bytes(200_000))
    assert _lag(silence, silence) is None


def test_unlike_sound_cannot_be_measured() -> None:
    """Sound that is nowhere like the source gives no lag, or not a lag of 0."""
    noise = speech_like(2.0, seed=9)
    assert _lag(speech_like(2.0), noise) != 0


def test_windows_are_spread_over_the_sound() -> None:
    """One window lies in each eighth, so that a drift would show."""
    source = speech_like(16.0, rate_hz=8_000)
    picker = WindowPicker(len(source))
    picker.feed(source)
    eighths = [window.start * 8 // len(source) for window in picker.windows()]
    assert eighths == list(range(8))
