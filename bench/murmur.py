"""A murmur under the time code, by which every twentieth of a second of a recording is read.

The code says once a second where the film is. The murmur is one tone whose pitch wanders otherwise
in each moment, below the code: what was recorded then is found in what should have sounded then,
and how far beside it lies is the error. It never pauses, so a gap is found too. (Noise would be no
use: an AAC encoder puts other noise in its place, ISO 14496-3 4.6.13.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from demo import timecode
from demo.sound import Recording
from demo.timecode import RATE_HZ, Samples

# Below the code's 2 kHz. The pitch takes another course so many times a second.
_LOW_HZ, _HIGH_HZ = 200.0, 1200.0
_COURSES = 60
_SPREAD_HZ = 100.0
# A voice to the packager, so the track has no pause.
_LEVEL = 0.04
# A reading each so often, of so much sound, found if it lies so near to its place.
STEP_S = 0.05
_WINDOW_S = 0.1
_REACH_S = 0.3
# How alike they have to be (1: the same); other moments of the film reach 0.66. Sound that is bent
# is looked for at its pace, where it is not found at once.
_SCORE_FLOOR, _SURE = 0.7, 0.9
_PACES = (1.0, 1.015, 0.985, 1.03, 0.97, 1.08, 0.92)
# First it is looked for so near to where the moment before was: where two paces meet, the right
# place is hardly more alike than a wrong one, but sound does not leap away and back.
_NEAR_S = 0.02
# Sound of so many samples is silent below this share of what is usual.
_BLOCK = RATE_HZ // 200
_SILENT = 0.15


@dataclass(frozen=True, slots=True)
class Reading:
    """At `at`, seconds of the host's clock, the film sounded `error_s` ahead of where it was."""

    at: float
    error_s: float


def spoken(seconds: int, first_second: int) -> Iterator[Samples]:
    """Time code and murmur of each second; raises ValueError past the code's end."""
    for film_s, block in enumerate(timecode.encode(seconds, first_second), first_second):
        yield block + _murmur(film_s)


@lru_cache(maxsize=128)
def _murmur(film_s: int) -> Samples:
    if film_s < 0:
        return np.zeros(RATE_HZ, dtype=np.float32)
    pitches = np.random.default_rng(film_s).uniform(_LOW_HZ, _HIGH_HZ, _COURSES + 1)
    # Each second begins and ends alike, so that none clicks.
    pitches[0] = pitches[-1] = (_LOW_HZ + _HIGH_HZ) / 2
    pitch_hz = np.interp(np.arange(RATE_HZ) / RATE_HZ, np.arange(_COURSES + 1) / _COURSES, pitches)
    turns = np.cumsum(pitch_hz) / RATE_HZ
    turns *= round(turns[-1]) / turns[-1]
    return np.asarray(_LEVEL * np.sin(2 * np.pi * turns), dtype=np.float32)


def _in_band(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(samples)
    frequency = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    spectrum[(frequency < _LOW_HZ - _SPREAD_HZ) | (frequency > _HIGH_HZ + _SPREAD_HZ)] = 0
    return np.fft.irfft(spectrum, len(samples))


def _film(begin: int, count: int) -> NDArray[np.float64]:
    """*count* samples of the murmur from sample *begin* of the film."""
    first, last = begin // RATE_HZ, (begin + count) // RATE_HZ
    whole = np.concatenate([_murmur(film_s) for film_s in range(first, last + 1)])
    from_there = begin - first * RATE_HZ
    return whole[from_there : from_there + count].astype(np.float64)


def read(
    recording: Recording, movie_start: float, since: float, until: float
) -> list[Reading | None]:
    """What was heard between two instants of the host's clock, one reading each 50 ms.

    None stands for a moment without the murmur, or more than 0.3 s beside its place.
    """
    found: list[Reading | None] = []
    error_s: float | None = None
    for at in np.arange(since, until, STEP_S):
        near = None if error_s is None else _error(recording, movie_start, float(at), error_s)
        error_s = _error(recording, movie_start, float(at)) if near is None else near
        found.append(None if error_s is None else Reading(float(at), error_s))
    return found


def _error(
    recording: Recording, movie_start: float, at: float, near_s: float | None = None
) -> float | None:
    # Not by `position_at`, which knows no place behind the last whole second.
    about = recording.position_at(at)
    middle = about + (at - recording.time_of(about)) * RATE_HZ
    place = (at - movie_start) * RATE_HZ
    best, found = _SCORE_FLOOR, None
    for pace in _PACES:
        score, lag = _search(recording.samples, middle, place, pace, near_s)
        if score > best:
            best, found = score, lag / RATE_HZ
        if best > _SURE:
            break
    return found


def _search(
    samples: Samples, middle: float, place: float, pace: float, near_s: float | None
) -> tuple[float, float]:
    """How alike the sound around *middle* and the film's near sample *place* are, and how far off.

    The sound was played *pace* times as fast. It is found *lag* samples ahead of its place, and
    within 20 ms of *near_s* where that is given.
    """
    width, reach = round(_WINDOW_S * RATE_HZ), round(_REACH_S * RATE_HZ)
    from_middle = np.arange(width) - (width - 1) / 2
    taken = middle + from_middle / pace
    if taken[0] < 0 or taken[-1] > len(samples) - 1:
        return 0.0, 0.0
    first = int(taken[0])
    piece = samples[first : int(taken[-1]) + 2].astype(np.float64)
    heard = _in_band(np.interp(taken - first, np.arange(len(piece)), piece))
    taper = np.hanning(width)
    begin = round(place - (width - 1) / 2) - reach
    film = _film(begin, width + 2 * reach)
    size = 1 << (len(film) + width).bit_length()
    likeness = np.fft.irfft(
        np.fft.rfft(film, size) * np.conj(np.fft.rfft(heard * taper, size)), size
    )[: 2 * reach + 1]
    first_looked, last_looked = 0, len(likeness)
    if near_s is not None:
        expected = round(place - begin - (width - 1) / 2 + near_s * RATE_HZ)
        beside = round(_NEAR_S * RATE_HZ)
        first_looked = min(max(0, expected - beside), len(likeness) - 1)
        last_looked = max(first_looked + 1, expected + beside)
    best = first_looked + int(np.argmax(likeness[first_looked:last_looked]))
    there = film[best : best + width]
    both = float(np.sqrt(np.sum(heard**2 * taper) * np.sum(there**2 * taper)))
    if both == 0:
        return 0.0, 0.0
    lag = begin + best + _bend(likeness, best) + (width - 1) / 2 - place
    return float(likeness[best]) / both, lag


def _bend(values: NDArray[np.float64], best: int) -> float:
    """How far beside *best* the top of the parabola through it and its neighbours lies."""
    if not 0 < best < len(values) - 1:
        return 0.0
    left, centre, right = (float(value) for value in values[best - 1 : best + 2])
    curve = left - 2 * centre + right
    return 0.5 * (left - right) / curve if curve < 0 else 0.0


def longest_gap_s(recording: Recording, since: float, until: float) -> float:
    """The longest stretch without sound between two instants, to a millisecond."""
    first, last = (max(0, round(recording.position_at(at))) for at in (since, until))
    power = np.concatenate(([0.0], np.cumsum(recording.samples[first:last].astype(float) ** 2)))
    step = RATE_HZ // 1000
    starts = np.arange(0, max(0, len(power) - 1 - _BLOCK), step)
    loudness = np.sqrt((power[starts + _BLOCK] - power[starts]) / _BLOCK)
    silent = loudness < _SILENT * np.median(loudness)
    longest = run = 0
    for quiet in silent:
        run = run + 1 if quiet else 0
        longest = max(longest, run)
    # A silence of that many blocks' starts is longer by the block itself.
    return (longest * step + _BLOCK - step) / RATE_HZ if longest else 0.0
