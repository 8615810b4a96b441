"""What a recording is counted as: what was read, and what could not be."""

from __future__ import annotations

import numpy as np
import pytest

from bench import murmur
from bench.murmur import Reading
from bench.sync_reading import Film, Moment, count_unread, of_each_second, take
from bench.sync_result import Result
from bench.sync_scenarios import WITHOUT_PAUSES
from demo.browser import Heard
from demo.sound import Recording
from demo.timecode import RATE_HZ

START = 1000.0
BOUND_S = 0.001


def recorded(seconds: int, silent: tuple[float, float] | None = None) -> Recording:
    """A film from its start on, heard in time but for what is *silent*."""
    samples = np.concatenate(list(murmur.spoken(seconds, 0)))
    if silent is not None:
        samples[round(silent[0] * RATE_HZ) : round(silent[1] * RATE_HZ)] = 0
    lags = np.array([START, START])
    return Recording(samples, (np.array([0.0, float(len(samples))]), lags), BOUND_S)


def taken(recording: Recording, film: Film = WITHOUT_PAUSES) -> Result:
    """All of it, from the film's start on."""
    result = Result("x")
    take(result, recording, film, START, START)
    return result


def test_sound_without_a_hole_is_read_at_every_moment() -> None:
    """Nothing is unread, and nothing is wrong."""
    result = taken(recorded(8))
    assert (result.unread, result.hole_ms, result.faults) == (0, 0.0, [])
    assert result.moments == len(result.errors_ms) > 100


def test_a_hole_in_the_sound_is_counted_and_fails() -> None:
    """The readings on both sides of it are right, and say nothing of it."""
    result = taken(recorded(8, silent=(4.0, 4.5)))
    assert max(map(abs, result.errors_ms)) < 40
    assert result.moments == result.unread + len(result.errors_ms)
    assert 300 <= result.hole_ms <= 700
    assert result.faults == [f"unreadable for {result.hole_ms:.0f} ms"]


def test_sound_that_ends_too_soon_is_a_hole() -> None:
    """Until the recording's end there should be something to read."""
    assert taken(recorded(8, silent=(6.0, 8.0))).hole_ms >= 1500


def test_a_second_that_is_missing_is_missed_but_for_a_silent_one() -> None:
    """The track's own silence is no hole; and the last two seconds may not be read whole yet."""
    heard = [Heard(START + film_s + 0.01, film_s) for film_s in (3, 4, 6, 9)]
    moments = of_each_second(heard, START, START + 13.5, range(7, 9))
    assert [(round(one.at - START, 2), one.reading is None) for one in moments] == [
        (3.01, False), (4.01, False), (5.0, True), (6.01, False), (9.01, False),
        (10.0, True), (11.0, True),
    ]  # fmt: skip
    assert of_each_second([], START, START + 9, range(0)) == []
    assert len(of_each_second([], START, START + 9, range(0), since=START + 2.5)) == 4


@pytest.mark.parametrize(("missing", "hole_ms"), [("", 0.0), ("3", 50.0), ("3478", 100.0)])
def test_the_longest_stretch_counts(missing: str, hole_ms: float) -> None:
    """Two holes are as bad as the longer one."""
    result = Result("x")
    moments = [Moment(at, None if str(at) in missing else Reading(at, 0.0)) for at in range(10)]
    count_unread(result, moments, 0.05)
    assert (result.moments, result.unread, result.hole_ms) == (10, len(missing), hole_ms)
