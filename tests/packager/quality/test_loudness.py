"""Loudness by EBU R 128: the EBU's own test signals, synthesised, and ffmpeg's meter beside."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from packager.ffmpeg import Tools
from packager.quality.loudness import FLOOR_LUFS, LoudnessCurves, LoudnessMeter
from tests.packager.signals import RATE_HZ, silence, speech, tone, write_sound

# The EBU's signals are stereo, in which a tone counts twice (BS.1770-5 Annex 1, equation 2).
STEREO_DB = 10 * np.log10(2)


def curves_of(sound: NDArray[np.float64]) -> LoudnessCurves:
    """Measure *sound*, second by second."""
    meter = LoudnessMeter()
    for at in range(0, len(sound), RATE_HZ):
        meter.feed(sound[at : at + RATE_HZ].astype(np.float32))
    return meter.curves()


def _tones(*steps: tuple[float, float]) -> NDArray[np.float64]:
    return np.concatenate([tone(dbfs + STEREO_DB, seconds) for dbfs, seconds in steps])


@pytest.mark.parametrize(
    ("steps", "lufs"),
    [
        (((-23, 20),), -23),
        (((-33, 20),), -33),
        (((-36, 10), (-23, 60), (-36, 10)), -23),
        (((-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)), -23),
        (((-26, 20), (-20, 20.1), (-26, 20)), -23),
    ],
)
def test_integrated_loudness_of_the_ebu_signals(
    steps: tuple[tuple[float, float], ...], lufs: float
) -> None:
    """EBU Tech 3341 table 1, cases 1 to 5: within 0.1 LU."""
    assert curves_of(_tones(*steps)).integrated_lufs() == pytest.approx(lufs, abs=0.1)


@pytest.mark.parametrize(
    ("steps", "range_lu"),
    [
        (((-20, 20), (-30, 20)), 10),
        (((-20, 20), (-15, 20)), 5),
        (((-40, 20), (-20, 20)), 20),
        (((-50, 20), (-35, 20), (-20, 20), (-35, 20), (-50, 20)), 15),
    ],
)
def test_loudness_range_of_the_ebu_signals(
    steps: tuple[tuple[float, float], ...], range_lu: float
) -> None:
    """EBU Tech 3342 table 1, cases 1 to 4: within 1 LU."""
    assert curves_of(_tones(*steps)).range_lu() == pytest.approx(range_lu, abs=1)


def test_short_term_and_momentary_maxima() -> None:
    """EBU Tech 3341 cases 9 and 12: steady loudness of changing tones is -23 all the time."""
    short_term = np.tile(_tones((-20, 1.34), (-30, 1.66)), 5)
    assert curves_of(short_term).short_term_lufs()[4:] == pytest.approx(-23, abs=0.1)
    momentary = np.tile(_tones((-20, 0.18), (-30, 0.22)), 25)
    assert curves_of(momentary).momentary_lufs()[1:] == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize("seed", [1, 2])
def test_ffmpeg_measures_the_same(tmp_path: Path, tools: Tools, seed: int) -> None:
    """On broken speech of changing level both meters agree within 0.1 LU."""
    levels = np.repeat(10 ** (np.random.default_rng(seed).uniform(-30, 0, 12) / 20), 3 * RATE_HZ)
    sound = speech(36, seed=seed) * levels
    sound[10 * RATE_HZ : 14 * RATE_HZ] = 0
    path = write_sound(tmp_path / "a.wav", sound)
    command = [tools.ffmpeg, "-hide_banner", "-nostats", "-i", str(path)]
    command += ["-af", "ebur128=framelog=verbose", "-f", "null", "-"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    integrated = re.search(r"I: +(-[0-9.]+) LUFS", said)
    measured_range = re.search(r"LRA: +([0-9.]+) LU", said)
    assert integrated is not None
    assert measured_range is not None
    curves = curves_of(sound)
    assert curves.integrated_lufs() == pytest.approx(float(integrated[1]), abs=0.1)
    assert curves.range_lu() == pytest.approx(float(measured_range[1]), abs=0.1)


def test_gain_moves_the_loudness_and_not_the_range() -> None:
    """What is told for the published track is what a meter would read after the gain."""
    sound = speech(20)
    louder = curves_of(sound * 10 ** (6 / 20))
    assert curves_of(sound).integrated_lufs(6.0) == pytest.approx(louder.integrated_lufs())
    assert curves_of(sound).range_lu(6.0) == pytest.approx(louder.range_lu())


@pytest.mark.parametrize("seconds", [0.0, 0.2, 5.0])
def test_silence_has_the_floor(seconds: float) -> None:
    """What does not pass the absolute gate has -70 LUFS and no range, however short it is."""
    curves = curves_of(silence(seconds))
    assert curves.integrated_lufs() == FLOOR_LUFS
    assert curves.range_lu() == 0.0
    assert len(curves.momentary_lufs()) == int(np.ceil(seconds))
    assert np.isneginf(curves.short_term_lufs()).all()
