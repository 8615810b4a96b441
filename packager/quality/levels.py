"""Level of a mono programme in frames of 10 ms: its waveform, its pauses, its digital silence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from media.grid import SAMPLE_RATE_HZ
from packager.quality.growing import Growing

FRAME_SAMPLES = SAMPLE_RATE_HZ // 100
_FRAMES_OF_WAVEFORM = 10
# A pause is at least this long. One of 300 ms that begins within a frame holds 29 whole ones.
_PAUSE_FRAMES = 29
# Breath and the ends of words are within 30 dB of speech; what lies lower is the room.
_PAUSE_BELOW_LU = 30.0
# Where the room itself is louder than that, a pause is what lies this near to it ...
_ABOVE_ROOM_DB = 6.0
_ROOM_PERCENTILE = 5.0
# The room's level is known from some of the frames.
_FRAMES_OF_ROOM = 4
# ... but never what is within 20 dB of speech.
_SPEECH_BELOW_LU = 20.0
# Below this nobody hears anything, whatever the loudness.
_INAUDIBLE_DBFS = -70.0


@dataclass(frozen=True, slots=True)
class Levels:
    """Mean square of each whole frame, whether it is digital silence, and the waveform."""

    samples: int
    mean_squares: NDArray[np.float32]
    digital_silence: NDArray[np.bool_]
    waveform: NDArray[np.float32]

    def pauses(self, loudness_lufs: float) -> tuple[tuple[int, int], ...]:
        """Where the narrator pauses, in a programme of that integrated loudness.

        As (first sample, sample after the last), in order, 300 ms and longer.
        """
        quiet = self.mean_squares <= 10 ** (self._threshold_dbfs(loudness_lufs) / 10)
        return tuple(
            (first * FRAME_SAMPLES, self._end(last))
            for first, last in runs(quiet)
            if last - first >= _PAUSE_FRAMES
        )

    def silences(self, shortest_s: float) -> tuple[tuple[int, int], ...]:
        """Runs of digital silence (all samples equal) of at least *shortest_s*, as pauses are."""
        return tuple(
            (first * FRAME_SAMPLES, self._end(last))
            for first, last in runs(self.digital_silence)
            if self._end(last) - first * FRAME_SAMPLES >= shortest_s * SAMPLE_RATE_HZ
        )

    def _threshold_dbfs(self, loudness_lufs: float) -> float:
        some = self.mean_squares[::_FRAMES_OF_ROOM]
        audible = some[some > 10 ** (_INAUDIBLE_DBFS / 10)]
        room_dbfs = _INAUDIBLE_DBFS
        if len(audible):
            room_dbfs = 10 * float(np.log10(np.percentile(audible, _ROOM_PERCENTILE)))
        near_room = min(room_dbfs + _ABOVE_ROOM_DB, loudness_lufs - _SPEECH_BELOW_LU)
        return max(_INAUDIBLE_DBFS, loudness_lufs - _PAUSE_BELOW_LU, near_room)

    def _end(self, frame: int) -> int:
        """Sample at which a run that ends before *frame* ends: the last one reaches to the end."""
        return self.samples if frame == len(self.mean_squares) else frame * FRAME_SAMPLES


class LevelMeter:
    """Takes a mono programme at 48 kHz block by block."""

    def __init__(self) -> None:
        self._samples = 0
        self._mean_squares = Growing(np.dtype(np.float32))
        self._digital_silence = Growing(np.dtype(np.bool_))
        self._waveform = Growing(np.dtype(np.float32))

    def feed(self, block: NDArray[np.float32]) -> None:
        """Take the next samples: whole tenths of a second, but for the last block."""
        self._samples += len(block)
        step = FRAME_SAMPLES * _FRAMES_OF_WAVEFORM
        whole = len(block) // step * step
        frames = block[:whole].reshape(-1, FRAME_SAMPLES)
        lowest, highest = frames.min(axis=1), frames.max(axis=1)
        self._mean_squares.add(np.einsum("ij,ij->i", frames, frames) / FRAME_SAMPLES)
        self._digital_silence.add(lowest == highest)
        edges = (
            lowest.reshape(-1, _FRAMES_OF_WAVEFORM).min(axis=1),
            highest.reshape(-1, _FRAMES_OF_WAVEFORM).max(axis=1),
        )
        self._waveform.add(np.column_stack(edges))
        if rest := block[whole:].size:
            self._take_rest(block[-rest:])

    def levels(self) -> Levels:
        """What was fed."""
        return Levels(
            samples=self._samples,
            mean_squares=self._mean_squares.array(),
            digital_silence=self._digital_silence.array(),
            waveform=self._waveform.array().reshape(-1, 2),
        )

    def _take_rest(self, rest: NDArray[np.float32]) -> None:
        """The end of the programme, in whole frames and one that may be shorter."""
        starts = np.arange(0, len(rest), FRAME_SAMPLES)
        lowest = np.minimum.reduceat(rest, starts)
        highest = np.maximum.reduceat(rest, starts)
        sizes = np.diff(np.append(starts, len(rest)))
        squares = np.add.reduceat(rest * rest, starts) / sizes
        self._mean_squares.add(squares)
        self._digital_silence.add(lowest == highest)
        self._waveform.add(np.array([lowest.min(), highest.max()]))


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs of true in *flags*, as (first, after the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]
