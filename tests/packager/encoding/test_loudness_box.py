"""Loudness as eight and twelve bits (ISO/IEC 23003-4)."""

from __future__ import annotations

import pytest

from media.track import Loudness
from packager.encoding.loudness_box import (
    loudness_box,
    loudness_range_code,
    program_loudness_code,
    true_peak_code,
)


@pytest.mark.parametrize(
    ("lufs", "code"),
    [(-57.75, 0), (-24.0, 135), (-23.0, 139), (-18.1, 159), (-70.0, 0), (9.0, 255)],
)
def test_program_loudness(lufs: float, code: int) -> None:
    """Quarters of a decibel from -57.75; what lies outside becomes the nearest that can be said."""
    assert program_loudness_code(lufs) == code


@pytest.mark.parametrize(
    ("dbtp", "code"), [(20.0, 1), (0.0, 640), (-1.0, 672), (-3.0, 736), (-200.0, 4095)]
)
def test_true_peak(dbtp: float, code: int) -> None:
    """32nds of a decibel below 20; never 0, which would say that nobody measured."""
    assert true_peak_code(dbtp) == code


@pytest.mark.parametrize(
    ("range_lu", "code"), [(0.0, 0), (6.0, 24), (32.0, 128), (40.0, 144), (71.0, 206), (999.0, 255)]
)
def test_loudness_range(range_lu: float, code: int) -> None:
    """Finer below 32 LU, coarser above."""
    assert loudness_range_code(range_lu) == code


def test_box_is_pinned() -> None:
    """One tlou in a ludt: true peak by BS.1770, loudness and range by R 128, all measured."""
    box = loudness_box(Loudness(integrated_lufs=-23.0, range_lu=6.0, true_peak_dbtp=-1.0))
    assert box == bytes.fromhex(
        "0000 0021 6c756474 0000 0019 746c6f75 0000 0000 0000 0002 a023 02 018b13 061813"
    )
