"""True peak of a mono programme, four times oversampled (ITU-R BS.1770-5 Annex 2).

Between two samples a wave can rise at most by the filter's own gain; so only sound that could lie
above the highest peak so far is oversampled, which gives the same result at a tenth of the work.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Two of the filter's four phases; the others are these two backwards (Annex 2, table of the order
# 48, 4-phase FIR interpolating filter).
PHASE_0 = (
    0.0017089843750, 0.0109863281250, -0.0196533203125, 0.0332031250000,
    -0.0594482421875, 0.1373291015625, 0.9721679687500, -0.1022949218750,
    0.0476074218750, -0.0266113281250, 0.0148925781250, -0.0083007812500,
)  # fmt: skip
PHASE_1 = (
    -0.0291748046875, 0.0292968750000, -0.0517578125000, 0.0891113281250,
    -0.1665039062500, 0.4650878906250, 0.7797851562500, -0.2003173828125,
    0.1015625000000, -0.0582275390625, 0.0330810546875, -0.0189208984375,
)  # fmt: skip
_TAPS = len(PHASE_0)
_PHASES = np.array([PHASE_0, PHASE_1, PHASE_1[::-1], PHASE_0[::-1]], np.float32)
# What the largest sample can become.
_MOST_GAIN = float(np.abs(_PHASES).sum(axis=1).max())
# Sound is looked at in pieces of this many samples, 1.3 ms.
_PIECE = 64
_IN_WIDE_PIECE = np.arange(_TAPS - 1 + _PIECE)
# The filter's delay, by which its output lies after the sample that it stands for.
_DELAY = _TAPS // 2


class TruePeakMeter:
    """Takes a mono programme block by block."""

    def __init__(self) -> None:
        self._before = np.zeros(_TAPS - 1, np.float32)
        self._fed = 0
        # Linear, and the sample at which it is.
        self.peak = 0.0
        self.at = 0

    def feed(self, block: NDArray[np.float32]) -> None:
        """Take the next samples."""
        pieces = -(-len(block) // _PIECE)
        sound = np.zeros(_TAPS - 1 + pieces * _PIECE, np.float32)
        sound[: _TAPS - 1] = self._before
        sound[_TAPS - 1 : _TAPS - 1 + len(block)] = block
        of_pieces = np.abs(sound[_TAPS - 1 :].reshape(pieces, _PIECE)).max(axis=1)
        # A piece hears the end of the one before it.
        before = np.concatenate(([np.abs(self._before).max()], of_pieces[:-1]))
        possible = np.maximum(of_pieces, before) * _MOST_GAIN
        # The loudest first: its peak leaves few others in question.
        loudest = int(possible.argmax())
        if possible[loudest] > self.peak:
            self._oversample(sound, np.array([loudest]))
            self._oversample(sound, np.flatnonzero(possible > self.peak))
        self._before = sound[len(block) : len(block) + _TAPS - 1].copy()
        self._fed += len(block)

    def finish(self) -> None:
        """Take what is still in the filter."""
        self.feed(np.zeros(_TAPS, np.float32))

    def peak_dbtp(self) -> float:
        """True peak in dB of full scale; -inf for digital silence."""
        with np.errstate(divide="ignore"):
            return float(20 * np.log10(self.peak))

    def _oversample(self, sound: NDArray[np.float32], pieces: NDArray[np.intp]) -> None:
        if not len(pieces):
            return
        wide = sound[pieces[:, np.newaxis] * _PIECE + _IN_WIDE_PIECE]
        for phase in _PHASES:
            # Tap by tap: a matrix product would wake all cores for so little.
            wave = phase[0] * wide[:, _TAPS - 1 :]
            for tap in range(1, _TAPS):
                wave += phase[tap] * wide[:, _TAPS - 1 - tap : -tap]
            np.abs(wave, out=wave)
            highest = int(wave.argmax())
            if wave.flat[highest] > self.peak:
                piece, place = divmod(highest, _PIECE)
                self.peak = float(wave[piece, place])
                at = self._fed + int(pieces[piece]) * _PIECE + place - _DELAY
                self.at = max(at, 0)
