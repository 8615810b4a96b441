"""Loudness by spectra against what the filters of BS.1770 give."""

from __future__ import annotations

import numpy as np
import pytest

from packager.verification.levels import SILENCE_LUFS, energies, loudness_lufs

_SECOND = 48_000


def _tone(hz: float, dbfs: float, seconds: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """A sine whose peaks are at that level."""
    times = np.arange(seconds * _SECOND) / _SECOND
    return (10 ** (dbfs / 20) * np.sin(2 * np.pi * hz * times)).astype(np.float32)


def test_reference_tone() -> None:
    """997 Hz at 0 dBFS in one channel is -3.01 LUFS (BS.1770-4, annex 1)."""
    assert loudness_lufs(energies(_tone(997, 0, 5))) == pytest.approx(-3.01, abs=0.05)


@pytest.mark.parametrize(("hz", "lufs"), [(100, -24.7), (1000, -23.0), (5000, -19.7)])
def test_weighting(hz: float, lufs: float) -> None:
    """Low sound counts less and high sound more; a sine at -20 dBFS is -23 LUFS at 1 kHz."""
    assert loudness_lufs(energies(_tone(hz, -20, 5))) == pytest.approx(lufs, abs=0.3)


def test_quiet_parts_are_gated() -> None:
    """Ten seconds of room tone between sentences do not make the programme softer."""
    loud, soft = energies(_tone(1000, -20, 10)), energies(_tone(1000, -50, 10))
    both = np.concatenate([loud, soft])
    # The four blocks across the boundary count in part.
    assert loudness_lufs(both) == pytest.approx(loudness_lufs(loud), abs=0.1)


def test_silence_has_a_figure() -> None:
    """No sound at all is said to be at the absolute gate, and less than a block too."""
    assert loudness_lufs(np.zeros(100)) == SILENCE_LUFS
    assert loudness_lufs(np.full(2, 0.1)) == SILENCE_LUFS
    assert loudness_lufs(np.zeros(0)) == SILENCE_LUFS
