"""The time code survives what a listener's sound goes through."""

from __future__ import annotations

import subprocess
import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from demo import timecode
from demo.voice import demo_track
from packager.ffmpeg import find_tools
from packager.settings import PackagerSection

RATE_HZ = timecode.RATE_HZ


def _code(seconds: int, first_second: int = 0) -> timecode.Samples:
    return np.concatenate(list(timecode.encode(seconds, first_second)))


def _through(
    codec: list[str], blocks: Iterable[timecode.Samples], folder: Path
) -> timecode.Samples:
    """Encode and decode by a real ffmpeg; the container keeps the encoder's delay."""
    source, encoded = folder / "source.wav", folder / "encoded.mka"
    with wave.open(str(source), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        for block in blocks:
            out.writeframes(np.round(block * 32767).astype("<i2").tobytes())
    run = [find_tools(PackagerSection()).ffmpeg, "-v", "error", "-nostdin", "-y", "-i"]
    subprocess.run([*run, str(source), *codec, str(encoded)], check=True)
    decoded = subprocess.run(
        [*run, str(encoded), "-f", "f32le", "-ac", "1", "-ar", str(RATE_HZ), "-"],
        check=True,
        capture_output=True,
    ).stdout
    return np.frombuffer(decoded, dtype="<f4")


def _errors_ms(marks: list[timecode.Mark]) -> list[float]:
    return [(mark.position / RATE_HZ - mark.film_s) * 1000 for mark in marks]


def test_reads_back_every_second_exactly() -> None:
    """Untouched, each second is found at its sample."""
    marks = timecode.decode(_code(30))
    assert [mark.film_s for mark in marks] == list(range(30))
    assert max(map(abs, _errors_ms(marks))) < 0.01


def test_code_is_quiet_and_the_same_each_time() -> None:
    """It peaks at -26 dBFS, and two runs give the same samples."""
    code = _code(3, 5000)
    assert 20 * np.log10(np.max(np.abs(code))) == pytest.approx(-26, abs=0.1)
    assert np.array_equal(code, _code(3, 5000))


@pytest.mark.parametrize(
    "codec",
    [["-c:a", "aac", "-b:a", "32k"], ["-c:a", "libopus", "-b:a", "24k"]],
    ids=["aac-32k", "opus-24k"],
)
def test_survives_the_voice_and_the_smallest_encoding(codec: list[str], tmp_path: Path) -> None:
    """Under the voice and through the codec: nearly all seconds are read, none by 0.5 ms wrong."""
    marks = timecode.decode(_through(codec, demo_track(60, "One Week"), tmp_path))
    assert len({mark.film_s for mark in marks}) >= 55
    assert max(map(abs, _errors_ms(marks))) < 0.5


def test_tells_a_hole_and_a_leap() -> None:
    """Sound that jumps in the film is read as it is: the times on each side are right."""
    sound = np.concatenate([_code(6, 720), np.zeros(RATE_HZ // 3, np.float32), _code(6, 7190)])
    marks = timecode.decode(sound)
    assert [mark.film_s for mark in marks] == [*range(720, 726), *range(7190, 7196)]
    assert marks[6].position == pytest.approx(6 * RATE_HZ + RATE_HZ // 3, abs=1)


@pytest.mark.parametrize("rate", [0.97, 1.03, 1.06])
def test_reads_sound_whose_rate_is_bent(rate: float) -> None:
    """At the rates of a player that corrects itself it reads most, and right within 5 ms."""
    sound = np.concatenate([np.zeros(RATE_HZ, np.float32), _code(8, 60)])
    bent = np.interp(np.arange(0, len(sound), rate), np.arange(len(sound)), sound)
    marks = timecode.decode(bent.astype(np.float32))
    assert len(marks) >= 7
    for mark in marks:
        true = (mark.film_s - 59) / rate
        assert mark.position / RATE_HZ == pytest.approx(true, abs=0.005)


def test_finds_nothing_in_noise_silence_and_speech() -> None:
    """What is not the code is not taken for it."""
    noise = np.random.default_rng(7).normal(0, 0.1, 20 * RATE_HZ)
    assert timecode.decode(noise) == []
    assert timecode.decode(np.zeros(5 * RATE_HZ)) == []
    assert timecode.decode(np.zeros(100)) == []


def test_lonely_reading_is_not_believed() -> None:
    """One second alone could be an accident, so it says nothing."""
    assert timecode.decode(_code(1, 42)) == []


def test_refuses_seconds_that_it_cannot_spell() -> None:
    """Beyond 2 h 16 min there are no numbers left."""
    with pytest.raises(ValueError, match="ends at second 8192"):
        next(timecode.encode(2, timecode.MAX_SECONDS - 1))
