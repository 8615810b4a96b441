"""The ladder: the renditions that a track is encoded to, and the length that they share."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

AAC_FRAME_SAMPLES = 1024  # ISO/IEC 14496-3 4.5.1.1, AAC-LC
OPUS_PACKET_SAMPLES = 960  # 20 ms at 48 kHz (RFC 6716 2.1.4)
# All renditions end on the same sample when the length is a multiple of both: 15,360 (0.32 s).
LENGTH_STEP_SAMPLES = math.lcm(AAC_FRAME_SAMPLES, OPUS_PACKET_SAMPLES)

DEFAULT_LADDER = ("aac-32k", "aac-64k", "aac-96k", "aac-128k", "opus-24k", "opus-48k")
# What the encoders take for mono: ffmpeg's AAC up to 6 bits a sample, Opus by RFC 6716 2.1.1.
_BOUNDS_KBPS = {"aac": (16, 256), "opus": (6, 256)}
_NAME = re.compile(r"(aac|opus)-([1-9][0-9]{0,2})k")


@dataclass(frozen=True, slots=True)
class Rung:
    """One rendition to make."""

    codec: Literal["aac", "opus"]
    bit_rate_bps: int

    @property
    def name(self) -> str:
        """Name of the rendition, such as `aac-64k`."""
        return f"{self.codec}-{self.bit_rate_bps // 1000}k"

    @property
    def packet_samples(self) -> int:
        """Samples in one packet of this codec."""
        return AAC_FRAME_SAMPLES if self.codec == "aac" else OPUS_PACKET_SAMPLES


def parse_ladder(names: Sequence[str]) -> tuple[Rung, ...]:
    """Read rendition names; raises ValueError that says which is wrong and what to write."""
    if not names:
        raise ValueError("the ladder is empty; name at least one rendition such as aac-64k")
    if len(set(names)) != len(names):
        raise ValueError(f"a rendition stands twice in the ladder {list(names)}")
    return tuple(_parse_rung(name) for name in names)


def _parse_rung(name: str) -> Rung:
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} is not a rendition; write aac-<kbit/s>k or opus-<kbit/s>k")
    codec: Literal["aac", "opus"] = "aac" if match[1] == "aac" else "opus"
    lowest, highest = _BOUNDS_KBPS[codec]
    if not lowest <= int(match[2]) <= highest:
        raise ValueError(f"{name!r} lies outside {lowest} to {highest} kbit/s")
    return Rung(codec, int(match[2]) * 1000)


def padded_samples(samples: int) -> int:
    """*samples* rounded up to the step at which AAC frames and Opus packets end together."""
    return -(-samples // LENGTH_STEP_SAMPLES) * LENGTH_STEP_SAMPLES
