"""The voice of the demo track says the film's time, at that time."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from demo import timecode
from demo.voice import Voice, demo_track, spoken_time, write_demo_track

RATE_HZ = timecode.RATE_HZ


@pytest.mark.parametrize(
    ("film_s", "words"),
    [
        (750, "12 minutes, 30 seconds"),
        (60, "1 minute"),
        (3661, "1 hour, 1 minute, 1 second"),
        (7200, "2 hours"),
        (10, "10 seconds"),
        (0, "zero"),
    ],
)
def test_time_in_words(film_s: int, words: str) -> None:
    """Units that are nought are left out, and one of a kind is singular."""
    assert spoken_time(film_s) == words


def test_line_begins_with_its_first_sound() -> None:
    """No silence stands before a line, and it peaks at -6 dBFS."""
    line = Voice().say("twelve minutes, thirty seconds")
    assert 1.0 < len(line) / RATE_HZ < 5.0
    assert np.max(np.abs(line[: RATE_HZ // 100])) > 0.005
    assert 20 * np.log10(np.max(np.abs(line))) == pytest.approx(-6, abs=0.1)


def test_different_times_sound_different() -> None:
    """It speaks the words it is given."""
    voice = Voice()
    assert len(voice.say("ten seconds")) < len(voice.say("twelve minutes, forty seconds"))


def test_lines_stand_at_every_tenth_second() -> None:
    """Where a line begins the voice is loud within 50 ms; before it there is the code alone."""
    track = np.concatenate(list(demo_track(40, "One Week")))
    code = np.concatenate(list(timecode.encode(40)))
    voice = np.abs(track - code)
    for second in (10, 20, 30):
        begin = second * RATE_HZ
        assert np.max(voice[begin - RATE_HZ : begin]) < 1e-6
        assert np.max(voice[begin : begin + RATE_HZ // 20]) > 0.005


def test_written_track_has_the_films_length(tmp_path: Path) -> None:
    """48 kHz, mono, 16 bit, whole seconds; a title longer than ten seconds is faded out."""
    path = tmp_path / "track.wav"
    shares: list[float] = []
    write_demo_track(path, 25, "A very long title indeed, " * 12, shares.append)
    with wave.open(str(path)) as track:
        assert (track.getframerate(), track.getnchannels(), track.getsampwidth()) == (48000, 1, 2)
        assert track.getnframes() == 25 * RATE_HZ
        samples = np.frombuffer(track.readframes(25 * RATE_HZ), dtype="<i2")
    assert np.max(np.abs(samples.astype(int))) < 32767
    assert shares == [0.4, 0.8, 1.0]
