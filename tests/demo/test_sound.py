"""The private sound card, and how well its recorder knows the time."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from demo import sound, timecode

pytestmark = [pytest.mark.sound, pytest.mark.xdist_group("sound")]


@pytest.fixture(autouse=True)
def _needs_sound() -> None:
    missing = sound.available()
    if missing is not None:
        if "CI" in os.environ:
            pytest.fail(f"CI is set, so this must run: {missing}")
        pytest.skip(f"NOT TESTED: {missing}")


def test_what_is_played_is_captured_at_its_pace() -> None:
    """Six coded seconds come out a second apart, within the recorder's own bound."""
    with sound.sound_card() as card:
        recorder = card.recorder()
        began = time.time()
        recorder.start()
        subprocess.run(
            ["pacat", "--raw", "--format=float32le", "--rate=48000", "--channels=1"],
            input=np.concatenate(list(timecode.encode(6, 100))).tobytes(),
            env=card.environment,
            check=True,
            timeout=60,
        )
        recording = recorder.stop()
    marks = timecode.decode(recording.samples)
    assert {mark.film_s for mark in marks} >= {100, 101, 102, 103, 104}
    times = [recording.time_of(mark.position) for mark in marks]
    assert began < times[0] < times[-1] < time.time()
    assert recording.bound_s < 0.02
    for mark, at in zip(marks, times, strict=True):
        assert at - times[0] == pytest.approx(mark.film_s - marks[0].film_s, abs=recording.bound_s)
    assert recording.position_at(times[2]) == pytest.approx(marks[2].position, abs=1)


def test_a_daemon_that_does_not_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last words are in the error, and nobody waits for one that has ended."""
    program = tmp_path / "pulseaudio"
    program.write_text("#!/bin/sh\necho 'no room for a sink' >&2\nexit 1\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(sound.SoundError, match="no room for a sink"), sound.sound_card():
        pass


def test_daemon_ends_with_the_block() -> None:
    """Nothing is left running, and its folder is gone."""
    with sound.sound_card() as card:
        folder = card.environment["PULSE_RUNTIME_PATH"]
        alive = subprocess.run(["pactl", "info"], env=card.environment, capture_output=True)
        assert alive.returncode == 0
    assert not os.path.exists(folder)  # noqa: PTH110  (a plain string from an environment)
    gone = subprocess.run(["pactl", "info"], env=card.environment, capture_output=True)
    assert gone.returncode != 0
