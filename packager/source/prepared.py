"""The prepared sound: what every stage after the quality check hears, and nothing else.

It lies in the work folder as raw samples, so that the source is decoded once, and so that all
encoders and the verification mean the same sample by t = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FILE_NAME = "prepared.f32"
BYTES_PER_SAMPLE = 4


@dataclass(frozen=True, slots=True)
class Prepared:
    """A source's sound at 48 kHz, mono, conformed and cut, as raw little-endian 32-bit floats.

    It is neither padded to the grid nor changed in level: encoders apply *gain_db*, a linear gain
    in dB that brings it to the configured loudness.
    """

    path: Path
    samples: int
    gain_db: float = 0.0
