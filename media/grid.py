"""The common grid of all renditions: where fragments and segments begin, in samples.

46,080 samples are 45 AAC frames of 1,024 and 48 Opus packets of 960, so every rendition has the
same boundaries and a player may change between them at any fragment.
"""

from __future__ import annotations

SAMPLE_RATE_HZ = 48_000
FRAGMENT_SAMPLES = 46_080
FRAGMENTS_PER_SEGMENT = 6
SEGMENT_SAMPLES = FRAGMENT_SAMPLES * FRAGMENTS_PER_SEGMENT
FRAGMENT_S = FRAGMENT_SAMPLES / SAMPLE_RATE_HZ
SEGMENT_S = SEGMENT_SAMPLES / SAMPLE_RATE_HZ


def seconds(samples: int) -> float:
    """Duration of *samples* in seconds."""
    return samples / SAMPLE_RATE_HZ


def samples(duration_s: float) -> int:
    """Nearest whole number of samples in *duration_s* seconds."""
    return round(duration_s * SAMPLE_RATE_HZ)
