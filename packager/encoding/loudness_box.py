"""The loudness box: what a player needs to play different tracks equally loud.

Its form is ISO/IEC 14496-12 12.2.7, the coding of its values ISO/IEC 23003-4 (MPEG-D DRC).
"""

from __future__ import annotations

import struct

from media.track import Loudness
from packager.encoding.boxing import box, full_box

# ISO/IEC 23003-4, methodDefinition: what a measurement is of.
_PROGRAM_LOUDNESS = 1
_LOUDNESS_RANGE = 6
# measurementSystem 1: EBU R 128; 2: ITU-R BS.1770-4, which R 128 uses for true peaks.
_EBU_R128 = 1
_BS_1770 = 2
# reliability 3: measured and accurate.
_MEASURED = 3


def loudness_box(loudness: Loudness) -> bytes:
    """Write `ludt` with one `tlou`: integrated loudness, range and true peak of the track.

    What lies outside of what a field can say is written as its nearest end.
    """
    measurements = [
        (_PROGRAM_LOUDNESS, program_loudness_code(loudness.integrated_lufs)),
        (_LOUDNESS_RANGE, loudness_range_code(loudness.range_lu)),
    ]
    # downmix_ID 0, DRC_set_ID 0: the sound as it is. The sample peak is not stated (0): the true
    # peak is never lower.
    levels = true_peak_code(loudness.true_peak_dbtp) << 8 | _BS_1770 << 4 | _MEASURED
    tlou = full_box(
        b"tlou",
        0,
        0,
        struct.pack(">HIB", 0, levels, len(measurements)),
        *(struct.pack(">BBB", *pair, _EBU_R128 << 4 | _MEASURED) for pair in measurements),
    )
    return box(b"ludt", tlou)


def program_loudness_code(lufs: float) -> int:
    """Eight bits: -57.75 LKFS and up in steps of 0.25."""
    return min(max(round((lufs + 57.75) * 4), 0), 255)


def true_peak_code(dbtp: float) -> int:
    """Twelve bits: 20 dBTP and down in steps of 1/32; 0 would mean that it is not known."""
    return min(max(round((20 - dbtp) * 32), 1), 4095)


def loudness_range_code(range_lu: float) -> int:
    """Eight bits: steps of 0.25 LU up to 32, of 0.5 up to 70, then of 1."""
    if range_lu <= 32:
        code = round(range_lu * 4 + 0.5)
    elif range_lu <= 70:
        code = round((range_lu - 32) * 2 + 128.5)
    else:
        code = round(range_lu + 134.5)
    return min(max(code, 0), 255)
