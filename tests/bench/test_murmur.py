"""The murmur under the time code: where the film is, at every moment of a recording."""

from __future__ import annotations

import numpy as np
import pytest

from bench.murmur import Reading, longest_gap_s, read, spoken
from demo import timecode
from demo.sound import Recording
from demo.timecode import RATE_HZ, Samples

BEGUN_AT = 1000.0


def _recording(samples: Samples) -> Recording:
    """Sound whose first sample sounded at BEGUN_AT."""
    positions = np.array([0.0, float(len(samples) - RATE_HZ // 2)])
    return Recording(samples, (positions, np.full(2, BEGUN_AT)), 0.002)


def _read(recording: Recording, movie_start: float, since: float, until: float) -> list[Reading]:
    """Every moment can be read."""
    found = read(recording, movie_start, since, until)
    assert None not in found
    return [one for one in found if one is not None]


def _film(seconds: int, first_second: int) -> Samples:
    return np.concatenate(list(spoken(seconds, first_second)))


@pytest.mark.parametrize("ahead_s", [-0.25, -0.0071, 0.0, 0.012, 0.28])
def test_an_error_is_read_at_every_moment(ahead_s: float) -> None:
    """Film from its second 20 on, heard that much ahead of its time."""
    recording = _recording(_film(6, 20))
    found = _read(recording, BEGUN_AT - 20 + ahead_s, BEGUN_AT + 1, BEGUN_AT + 5)
    assert len(found) == 80
    assert [one.error_s for one in found] == pytest.approx([ahead_s] * 80, abs=5e-5)


def test_a_jump_is_seen_where_it_was() -> None:
    """The sound leaps 30 ms ahead at its third second."""
    film = _film(7, 0)
    samples = np.concatenate([film[: 3 * RATE_HZ], film[3 * RATE_HZ + 1440 :]])
    found = [one for one in read(_recording(samples), BEGUN_AT, BEGUN_AT + 1, BEGUN_AT + 5) if one]
    early = [one.error_s for one in found if one.at < BEGUN_AT + 2.9]
    assert early == pytest.approx([0.0] * len(early), abs=5e-5)
    late = [one.error_s for one in found if one.at > BEGUN_AT + 3.1]
    assert late == pytest.approx([0.03] * len(late), abs=5e-5)
    assert min(len(early), len(late)) >= 37


def test_where_the_rate_changes_it_is_read_where_it_was() -> None:
    """Bent by 8 % for half a second, again and again: no seam is read at another place."""
    film = _film(60, 0)
    steps = np.ones(58 * RATE_HZ)
    for begin in range(3, 55, 4):
        steps[begin * RATE_HZ : begin * RATE_HZ + RATE_HZ // 2] = 0.92
        steps[(begin + 2) * RATE_HZ : (begin + 2) * RATE_HZ + RATE_HZ // 2] = 1.08
    places = np.cumsum(steps) - 1
    samples = np.interp(places, np.arange(len(film)), film).astype(np.float32)
    moments = read(_recording(samples), BEGUN_AT, BEGUN_AT + 1, BEGUN_AT + 56)
    found = [one for one in moments if one is not None]
    # One at each seam may be unlike any place.
    assert len(found) >= len(moments) - 4 * len(range(3, 55, 4))
    true_s = [
        (places[round((one.at - BEGUN_AT) * RATE_HZ)] / RATE_HZ) - (one.at - BEGUN_AT)
        for one in found
    ]
    assert [one.error_s for one in found] == pytest.approx(true_s, abs=0.006)


def test_silence_has_no_reading_and_is_measured() -> None:
    """42 ms without sound are a gap of 42 ms; a second of silence says nothing of the film."""
    samples = _film(6, 0)
    samples[2 * RATE_HZ : 2 * RATE_HZ + 2016] = 0
    samples[4 * RATE_HZ : 5 * RATE_HZ] = 0
    recording = _recording(samples)
    gap_s = longest_gap_s(recording, BEGUN_AT + 1, BEGUN_AT + 3)
    assert gap_s == pytest.approx(0.042, abs=0.004)
    assert longest_gap_s(recording, BEGUN_AT + 2.5, BEGUN_AT + 3.5) == 0
    assert read(recording, BEGUN_AT, BEGUN_AT + 4.2, BEGUN_AT + 4.79) == [None] * 12


def test_the_code_under_it_is_still_read() -> None:
    """Both say the same, each in its own band."""
    marks = timecode.decode(_film(10, 300))
    assert [mark.film_s for mark in marks] == list(range(300, 310))
    assert [mark.position / RATE_HZ for mark in marks] == pytest.approx(range(10), abs=1e-3)
