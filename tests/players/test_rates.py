"""BANDWIDTH and AVERAGE-BANDWIDTH, computed anew from the file by another way."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import m3u8
import pytest

from media.grid import SAMPLE_RATE_HZ, SEGMENT_SAMPLES
from media.hls import multivariant_playlist
from tests.players.sound import Packaged
from tests.sounds import FULL_LADDER

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("players")]

# Bytes and samples of each segment.
Segments = list[tuple[int, int]]
_EXACT = Fraction(1, 1000)
_TARGET_S = 6


def boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, begin and end of the boxes in a row (ISO/IEC 14496-12 4.2, sizes of 32 bits)."""
    while start < end:
        size, kind = struct.unpack_from(">I4s", data, start)
        yield kind, start, start + size
        start += size


def segments_of_sidx(data: bytes) -> Segments:
    """As the file's own index names them (8.16.3)."""
    begin = next(begin for kind, begin, _ in boxes(data, 0, len(data)) if kind == b"sidx")
    (count,) = struct.unpack_from(">H", data, begin + 30)
    table = struct.unpack_from(f">{3 * count}I", data, begin + 32)
    return list(zip(table[::3], table[1::3], strict=True))


def segments_of_moofs(data: bytes, length_samples: int) -> Segments:
    """By the times in the fragments (8.8.12), without any index."""
    sizes: dict[int, int] = defaultdict(int)
    number = None
    for kind, begin, end in boxes(data, 0, len(data)):
        if kind == b"moof":
            at = data.index(b"tfdt", begin, end)
            version = data[at + 4]
            (time,) = struct.unpack_from(">Q" if version else ">I", data, at + 8)
            number = time // SEGMENT_SAMPLES
        if number is not None:
            sizes[number] += end - begin
    lengths = [min(SEGMENT_SAMPLES, length_samples - n * SEGMENT_SAMPLES) for n in sizes]
    return list(zip(sizes.values(), lengths, strict=True))


def rates(segments: Segments) -> tuple[Fraction, Fraction]:
    """Peak and average, word for word.

    RFC 8216bis 4.1: the peak segment bit rate is the largest bit rate of any contiguous set of
    segments whose total duration is between 0.5 and 1.5 times the target duration, where the rate
    of a set is the sum of the sizes divided by the sum of the durations.
    """
    runs = [segments[i:j] for i in range(len(segments)) for j in range(i + 1, len(segments) + 1)]
    sums = [
        (sum(s for s, _ in run) * 8, Fraction(sum(d for _, d in run), SAMPLE_RATE_HZ))
        for run in runs
    ]
    low, high = Fraction(_TARGET_S, 2), Fraction(3 * _TARGET_S, 2)
    peak = max(bits / lasting for bits, lasting in sums if low <= lasting <= high)
    bits, lasting = sums[len(segments) - 1]
    return peak, bits / lasting


@pytest.mark.parametrize("name", FULL_LADDER)
async def test_declared_rates_are_those_of_the_window(voice: Packaged, name: str) -> None:
    """Within 0.1 %, in track.json and in the playlist that is served, by index and by fragments."""
    rendition = voice.track.rendition(name)
    assert rendition is not None
    data = Path(voice.path(rendition)).read_bytes()
    by_index = segments_of_sidx(data)
    assert by_index == segments_of_moofs(data, voice.track.duration_samples)
    peak, average = rates(by_index)
    assert abs(rendition.peak_bps - peak) <= _EXACT * peak
    assert abs(rendition.average_bps - average) <= _EXACT * average
    text = multivariant_playlist(voice.track, rendition.codec, "token", 0.0, [name])
    (variant,) = m3u8.loads(text).playlists
    declared = variant.stream_info
    # Rounded up and no further: a declared rate is a bound.
    assert 0 <= declared.bandwidth - peak < 1
    assert 0 <= declared.average_bandwidth - average < 1
