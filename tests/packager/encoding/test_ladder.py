"""Names of renditions, and the length that all of them share."""

from __future__ import annotations

import pytest

from media.grid import FRAGMENT_SAMPLES
from packager.encoding.ladder import (
    DEFAULT_LADDER,
    LENGTH_STEP_SAMPLES,
    padded_samples,
    parse_ladder,
)


def test_default_ladder_is_read() -> None:
    """Each name says codec and rate, and is the name that the rendition gets."""
    ladder = parse_ladder(DEFAULT_LADDER)
    assert [(rung.codec, rung.bit_rate_bps) for rung in ladder] == [
        ("aac", 32_000),
        ("aac", 64_000),
        ("aac", 96_000),
        ("aac", 128_000),
        ("opus", 24_000),
        ("opus", 48_000),
    ]
    assert tuple(rung.name for rung in ladder) == DEFAULT_LADDER


@pytest.mark.parametrize(
    "names",
    [[], ["mp3-64k"], ["aac-64"], ["aac-064k"], ["aac-8k"], ["opus-512k"], ["aac-64k", "aac-64k"]],
)
def test_wrong_ladder_is_refused(names: list[str]) -> None:
    """An unknown codec, a rate that the encoder does not take, a repetition: named as such."""
    with pytest.raises(ValueError, match=r"ladder|rendition|kbit/s"):
        parse_ladder(names)


@pytest.mark.parametrize(
    ("samples", "padded"), [(1, 15_360), (15_360, 15_360), (15_361, 30_720), (288_000, 291_840)]
)
def test_length_is_padded_to_whole_packets(samples: int, padded: int) -> None:
    """AAC frames and Opus packets end together, with less than 0.32 s of silence added."""
    assert padded_samples(samples) == padded
    assert padded % 1024 == padded % 960 == 0


def test_fragments_are_whole_steps() -> None:
    """So the last fragment is never less than a packet of either codec."""
    assert FRAGMENT_SAMPLES % LENGTH_STEP_SAMPLES == 0
