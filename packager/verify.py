"""Every rendition is read again as a stranger's file before anything is published."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import ffmpeg
import m3u8
import structlog

from media.bandwidth import average_bps, peak_bps
from media.cmaf import CmafIndex, read_cmaf
from media.errors import TrackFormatError
from media.grid import FRAGMENT_SAMPLES, seconds
from media.hls import TARGET_DURATION_S, media_playlist, multivariant_playlist
from media.track import Rendition, Track, group_segments
from packager.alignment import Window, WindowFinder
from packager.check import decode, file_sha256
from packager.conform import compiled, pcm
from packager.errors import ToolFailedError, VerifyError
from packager.ffmpeg import Tools
from packager.ladder import Rung

_log = structlog.get_logger()

_MOST_LAG_SAMPLES = 1
# What the playlists of the check are rendered with; neither is ever served.
_SOME_TOKEN = "verify"  # noqa: S105
_SOME_INSTANT = datetime(2000, 1, 1, tzinfo=UTC)


async def verify_rendition(
    path: Path,
    rung: Rung,
    length_samples: int,
    windows: tuple[Window, ...],
    tools: Tools,
    on_samples: Callable[[int], None],
) -> Rendition:
    """Check structure, decoded length and alignment of *path*; raises VerifyError.

    *windows* of the source must be found at their place within one sample. *on_samples* is told how
    many samples are decoded.
    """
    try:
        index = await asyncio.to_thread(read_cmaf, path)
    except TrackFormatError as error:
        raise VerifyError(rung.name, str(error)) from error
    _check_structure(index, rung, length_samples)
    finder = WindowFinder(windows)
    # As a player reads it: no repair of damage, and every sample counted.
    command = compiled(pcm(ffmpeg.input(f"file:{path}", err_detect="explode")["a:0"]), tools.ffmpeg)
    try:
        decoded = await decode(rung.name, command, finder.feed, on_samples)
    except ToolFailedError as error:
        raise VerifyError(rung.name, f"it does not decode: {error.what}") from error
    if decoded != length_samples:
        raise VerifyError(rung.name, f"it decodes to {decoded} samples, not {length_samples}")
    # In a thread: it is a second of arithmetic.
    _check_lag(rung, await asyncio.to_thread(finder.lag))
    return Rendition(
        name=rung.name,
        codec=rung.codec,
        codecs=index.entry.codecs,
        channels=index.entry.channels,
        bit_rate_bps=rung.bit_rate_bps,
        peak_bps=peak_bps(index.segments, TARGET_DURATION_S),
        average_bps=average_bps(index.segments),
        size_bytes=index.size_bytes,
        sha256=await asyncio.to_thread(file_sha256, path),
        init=index.init,
        fragments=index.fragments,
        segments=index.segments,
    )


def verify_playlists(track: Track) -> None:
    """Render every playlist, parse it with another hand's library, and compare with the index."""
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


def _check_structure(index: CmafIndex, rung: Rung, length_samples: int) -> None:
    """Nothing may be left for a player to interpret (docs/measurements.md); times: read_cmaf."""
    if index.has_edit_list:
        raise VerifyError(rung.name, "it has an edit list")
    if index.entry.pre_skip != 0:
        raise VerifyError(rung.name, f"its PreSkip is {index.entry.pre_skip} instead of 0")
    _same(rung.name, "codec", index.entry.codec, rung.codec)
    _same(rung.name, "samples", index.samples, length_samples)
    off_grid = [piece for piece in index.fragments[:-1] if piece.samples != FRAGMENT_SAMPLES]
    if off_grid:
        raise VerifyError(rung.name, f"a fragment at byte {off_grid[0].offset} is off the grid")
    if index.segments != group_segments(index.fragments):
        raise VerifyError(rung.name, "its sidx does not name the media segments")


def _check_lag(rung: Rung, lag: int | None) -> None:
    if lag is None:
        # Digital silence, or noise that the encoder replaced: the times above are the proof.
        _log.warning("alignment not measurable", rendition=rung.name)
    elif abs(lag) > _MOST_LAG_SAMPLES:
        raise VerifyError(rung.name, f"its sound lies {lag} samples late against the source")


def _same(where: str, what: str, found: object, expected: object) -> None:
    if found != expected:
        raise VerifyError(where, f"{what}: {found} instead of {expected}")
