"""Conforming: another length, the same pitch, and no drift.

Sound is copied as it is, and now and then 2.5 to 19 ms of it are left out or said twice, where that
is heard least: in a pause if one is near, else one or more periods of the voice. Between two such
splices nothing is touched, so a word keeps its sharpness. Every instant lies within 10 ms of its
true place, and the first at it, whatever the length (docs/sources.md has the comparison with
ffmpeg's atempo).
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from media.grid import SAMPLE_RATE_HZ

Array = NDArray[np.float32]

_MS = SAMPLE_RATE_HZ // 1000
# A splice is made while the sound is 1 to 9 ms off its place, to the one side ...
_FIRST_ERROR = 1 * _MS
_LAST_ERROR = 9 * _MS
# ... and leaves it at most 10 ms off to the other.
_MOST_ERROR = 10 * _MS
# Below the period of a child's voice (400 Hz) a splice would be heard as a tone.
_SHORTEST_JUMP = 5 * _MS // 2
_LONGEST_JUMP = _LAST_ERROR + _MOST_ERROR
_FADE = 10 * _MS
# What is compared is longer than any jump: what is left out or said twice must be like its
# neighbour, or a consonant would be lost or heard twice.
_COMPARED = 20 * _MS
# How far ahead a good place is looked for: pauses come every few seconds.
_MOST_WINDOW = 4 * SAMPLE_RATE_HZ
# Places are compared this far apart, and the quietest of them looked at closely.
_PLACE_STEP = 2 * _MS
_PLACES = 12
# Jumps are first compared at a quarter of the rate.
_COARSE = 4
_RAMP = np.sin(np.linspace(0, np.pi / 2, _FADE, endpoint=False, dtype=np.float32)) ** 2


class Stretcher:
    """Makes a mono sound at 48 kHz *stretch* times as long, block by block.

    `feed` and `finish` together give exactly round(n * stretch) samples for n fed.
    """

    def __init__(self, stretch: Fraction) -> None:
        self._stretch = stretch
        # Input that is still needed, and where it begins.
        self._sound: Array = np.zeros(0, np.float32)
        self._sound_at = 0
        # Next sample to copy, and how many were given.
        self._reading = 0
        self._written = 0

    def feed(self, block: Array) -> Array:
        """Take the next samples and give what is certain."""
        self._sound = np.concatenate((self._sound, block))
        parts: list[Array] = []
        if self._stretch != 1:
            while (splice := self._find_splice()) is not None:
                parts += self._splice(*splice)
        else:
            parts.append(self._copy(self._end - self._reading))
        self._forget()
        return np.concatenate([np.zeros(0, np.float32), *parts])

    def finish(self) -> Array:
        """Give the rest, to the exact length."""
        length = round(self._end * self._stretch)
        rest = self._copy(min(self._end - self._reading, length - self._written))
        # The end is at most 10 ms off, as every instant is.
        missing = np.zeros(length - self._written, np.float32)
        self._written = length
        return np.concatenate((rest, missing))

    @property
    def _end(self) -> int:
        return self._sound_at + len(self._sound)

    def _error(self) -> float:
        """By how many samples what is read lies after what should be."""
        return float(self._reading - self._written / self._stretch)

    def _find_splice(self) -> tuple[int, int] | None:
        """The next splice as (place, place to go on from); None until enough was fed."""
        # Towards the side to which the error grows: late where the sound is stretched.
        growing = 1 if self._stretch > 1 else -1
        speed = abs(1 - 1 / self._stretch)
        error = self._error() * growing
        first = self._reading + max(int((_FIRST_ERROR - error) / speed), 0)
        # The error itself at the window's last place stays below the limit.
        width = min(int((_LAST_ERROR - _FIRST_ERROR) / speed), _MOST_WINDOW)
        last = first + width
        if last + _COMPARED + _LONGEST_JUMP > self._end:
            return None
        places = self._quietest(first, last)
        best: tuple[float, int, int] | None = None
        for place in places:
            there = error + float((place - self._reading) * speed)
            cost, jump = self._best_jump(place, growing, int(there))
            if best is None or cost < best[0]:
                best = cost, place, place - growing * jump
        assert best is not None  # noqa: S101  # there is always a place
        return best[1:]

    def _quietest(self, first: int, last: int) -> list[int]:
        """Places between *first* and *last* after which there is least sound."""
        step = _PLACE_STEP
        count = (last - first) // step
        sound = self._cut(first, first + count * step + _COMPARED)
        energies = np.concatenate(([0.0], np.cumsum(sound.astype(np.float64) ** 2)))
        around = energies[_COMPARED::step][:count] - energies[:-_COMPARED:step][:count]
        chosen = np.argsort(around, kind="stable")[:_PLACES]
        return [first + int(place) * step for place in chosen]

    def _best_jump(self, place: int, growing: int, error: int) -> tuple[float, int]:
        """How far to jump at *place*, and what it costs: the squared difference to there."""
        longest = min(error + _MOST_ERROR, place - self._sound_at if growing > 0 else _LONGEST_JUMP)
        here = self._cut(place, place + _COMPARED)
        if growing > 0:
            around = self._cut(place - longest, place - _SHORTEST_JUMP + _COMPARED)
        else:
            around = self._cut(place + _SHORTEST_JUMP, place + longest + _COMPARED)
        near = int(_differences(_coarse(around), _coarse(here)).argmin()) * _COARSE
        start = max(near - _COARSE, 0)
        costs = _differences(around[start : near + _COARSE + _COMPARED + 1], here)
        at = start + int(costs.argmin())
        jump = longest - at if growing > 0 else _SHORTEST_JUMP + at
        return float(costs.min()), jump

    def _splice(self, place: int, to: int) -> list[Array]:
        before = self._copy(place - self._reading)
        leaving = self._cut(place, place + _FADE)
        coming = self._cut(to, to + _FADE)
        faded = leaving + (coming - leaving) * _RAMP
        self._reading = to + _FADE
        self._written += _FADE
        return [before, faded]

    def _copy(self, samples: int) -> Array:
        copied = self._cut(self._reading, self._reading + samples)
        self._reading += samples
        self._written += samples
        return copied

    def _cut(self, first: int, last: int) -> Array:
        return self._sound[first - self._sound_at : last - self._sound_at]

    def _forget(self) -> None:
        keep = max(self._reading - _LONGEST_JUMP, self._sound_at)
        self._sound = self._sound[keep - self._sound_at :].copy()
        self._sound_at = keep


def _coarse(sound: Array) -> Array:
    whole = len(sound) // _COARSE * _COARSE
    mean: Array = sound[:whole].reshape(-1, _COARSE).mean(axis=1)
    return mean


def _differences(around: Array, here: Array) -> NDArray[np.float64]:
    """Squared difference between *here* and each equally long part of *around*."""
    squares = np.concatenate(([0.0], np.cumsum(around.astype(np.float64) ** 2)))
    energies = squares[len(here) :] - squares[: -len(here)]
    products = np.correlate(around, here, "valid")
    costs: NDArray[np.float64] = energies + float(np.dot(here, here)) - 2 * products
    return np.maximum(costs, 0.0)
