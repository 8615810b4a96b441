"""The playlists of a track, read by another hand's library and compared with its index."""

from __future__ import annotations

from datetime import UTC, datetime

import m3u8

from media.grid import seconds
from media.hls import TARGET_DURATION_S, media_playlist, multivariant_playlist
from media.track import Rendition, Track
from packager.errors import VerifyError

# What the playlists of the check are rendered with; neither is ever served.
_SOME_TOKEN = "verify"  # noqa: S105
_SOME_INSTANT = datetime(2000, 1, 1, tzinfo=UTC)


def verify_playlists(track: Track) -> None:
    """Render every playlist, parse it, and compare with the index; raises VerifyError."""
    codecs = sorted({rendition.codec for rendition in track.renditions})
    for codec in codecs:
        offered = [r for r in track.renditions if r.codec == codec]
        parsed = m3u8.loads(multivariant_playlist(track, codec, _SOME_TOKEN, 0.0))
        _same(
            codec,
            "variants",
            [(v.stream_info.bandwidth, v.stream_info.average_bandwidth) for v in parsed.playlists],
            [(r.peak_bps, r.average_bps) for r in offered],
        )
        _same(
            codec,
            "codec strings",
            [v.stream_info.codecs for v in parsed.playlists],
            [r.codecs for r in offered],
        )
    for rendition in track.renditions:
        _verify_media_playlist(track, rendition)


def _verify_media_playlist(track: Track, rendition: Rendition) -> None:
    parsed = m3u8.loads(media_playlist(track, rendition, 0.0, _SOME_INSTANT))
    name = rendition.name
    _same(
        name,
        "byte ranges",
        [segment.byterange for segment in parsed.segments],
        [f"{segment.size}@{segment.offset}" for segment in rendition.segments],
    )
    _same(
        name,
        "durations",
        [round(segment.duration, 6) for segment in parsed.segments],
        [round(seconds(segment.samples), 6) for segment in rendition.segments],
    )
    _same(
        name,
        "init segment",
        [section.byterange for section in parsed.segment_map],
        [f"{rendition.init.size}@{rendition.init.offset}"],
    )
    _same(name, "target duration", parsed.target_duration, TARGET_DURATION_S)
    _same(name, "end", parsed.is_endlist, True)


def _same(where: str, what: str, found: object, expected: object) -> None:
    if found != expected:
        raise VerifyError(where, f"{what}: {found} instead of {expected}")
