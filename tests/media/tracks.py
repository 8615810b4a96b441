"""Track descriptions of any length for tests of text; no sound lies behind them."""

from __future__ import annotations

from typing import Literal

from media.grid import FRAGMENT_SAMPLES
from media.track import ByteRange, Piece, Rendition, Source, Track, group_segments


def make_rendition(codec: Literal["aac", "opus"], kbps: int, fragments: int) -> Rendition:
    """A rendition with an init section of 600 bytes, a sidx of 100 and fragments of 4,000."""
    size = 4000
    pieces = tuple(Piece(700 + i * size, size, FRAGMENT_SAMPLES) for i in range(fragments))
    return Rendition(
        name=f"{codec}-{kbps}k",
        codec=codec,
        codecs={"aac": "mp4a.40.2", "opus": "opus"}[codec],
        channels=1,
        bit_rate_bps=kbps * 1000,
        peak_bps=kbps * 1000 * 17 // 16,
        average_bps=kbps * 1000,
        size_bytes=700 + fragments * size,
        sha256="ab" * 32,
        init=ByteRange(offset=0, size=600),
        fragments=pieces,
        segments=group_segments(pieces),
    )


def make_track(fragments: int, track_offset_s: float = 0.0) -> Track:
    """A track of two AAC renditions and one Opus rendition."""
    return Track(
        movie_id="one-week",
        language="en",
        version="0123456789abcdef",
        title="One Week",
        duration_samples=fragments * FRAGMENT_SAMPLES,
        track_offset_s=track_offset_s,
        source=Source(
            name="master.wav", sha256="cd" * 32, duration_samples=fragments * FRAGMENT_SAMPLES
        ),
        renditions=(
            make_rendition("aac", 32, fragments),
            make_rendition("aac", 64, fragments),
            make_rendition("opus", 24, fragments),
        ),
    )
