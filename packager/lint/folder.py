"""Loads a published version: its playlists as Tell would serve them, and the boxes of its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from media import hls
from media.errors import TrackFormatError
from media.track import Track, load_current, load_track
from packager.errors import LintTargetError
from packager.lint.parsing import read_playlist
from packager.lint.playlist import MediaPlaylist, MultivariantPlaylist
from packager.lint.presentation import Presentation, Reading, Unreachable
from packager.lint.reading import index_range, index_reading, init_reading, segment_reading

# What the playlists are rendered with; neither is ever served.
_TOKEN = "lint"  # noqa: S105
_ZERO_AT = datetime(2000, 1, 1, tzinfo=UTC)
_TRACK_FILE = "track.json"
_CURRENT_FILE = "current.json"


def load_folder(folder: Path) -> Iterator[Presentation]:
    """What a version would be as streams; raises LintTargetError where there is none, at once.

    *folder* is a version's, or the language's above it, whose current version is taken then.
    """
    where = folder / _TRACK_FILE
    try:
        current = folder / _CURRENT_FILE
        if current.is_file() and not where.exists():
            version = load_current(current.read_bytes(), str(current)).version
            if version is None:
                raise LintTargetError(str(current), "the track is withdrawn")
            folder = folder / version
            where = folder / _TRACK_FILE
        track = load_track(where.read_bytes(), str(where))
    except OSError as error:
        raise LintTargetError(str(where), error.strerror or str(error)) from error
    except TrackFormatError as error:
        raise LintTargetError(str(where), str(error)) from error
    return load_rendered(track, {r.name: folder / r.file_name for r in track.renditions})


def load_rendered(track: Track, files: Mapping[str, Path]) -> Iterator[Presentation]:
    """Presentations of *track*: each Multivariant Playlist with its renditions, and now.m3u8 alone.

    *files* holds each rendition's file by the rendition's name. One is read after the other, as a
    film's boxes are the most memory that a packaging needs.
    """
    middle_s = track.duration_s / 2
    for codec, name in _codecs(track):
        multivariant = hls.multivariant_playlist(track, codec, _TOKEN, middle_s)
        media = {
            f"/stream/{_TOKEN}/{each.name}.m3u8": hls.media_playlist(
                track, each, middle_s, _ZERO_AT
            )
            for each in track.renditions
            if each.codec == codec
        }
        yield _presentation(track, files, {f"/{name}.m3u8": multivariant}, media)
    first = track.renditions[0]
    now = hls.now_playlist(track, first, middle_s, _ZERO_AT, uri_prefix=f"/stream/{_TOKEN}/")
    yield _presentation(track, files, {}, {"/now.m3u8": now})


def _codecs(track: Track) -> Iterator[tuple[Literal["aac", "opus"], str]]:
    names: tuple[tuple[Literal["aac", "opus"], str], ...] = (("aac", "main"), ("opus", "opus"))
    for codec, name in names:
        if any(rendition.codec == codec for rendition in track.renditions):
            yield codec, name


def _read(url: str, text: str) -> MediaPlaylist | MultivariantPlaylist:
    return read_playlist(url, text.encode())


def _presentation(
    track: Track,
    files: Mapping[str, Path],
    multivariants: Mapping[str, str],
    media: Mapping[str, str],
) -> Presentation:
    """Read the playlists' texts, by address, and what the media ones name."""
    read = [_read(url, text) for url, text in media.items()]
    playlists = {p.url: p for p in read if isinstance(p, MediaPlaylist)}
    readings = {}
    unreachable = []
    sizes = {}
    for url, playlist in playlists.items():
        name = urlsplit(playlist.segments[0].url).path.rpartition("/")[2].removesuffix(".mp4")
        path = files[name]
        try:
            sizes[name] = path.stat().st_size
            readings[url] = _reading(playlist, path)
        except OSError as error:
            unreachable.append(Unreachable(path.name, None, error.strerror or str(error)))
    return Presentation(
        multivariants=tuple(
            found
            for url, text in multivariants.items()
            if isinstance(found := _read(url, text), MultivariantPlaylist)
        ),
        media=playlists,
        readings=readings,
        unreachable=tuple(unreachable),
        track=track,
        file_sizes=sizes,
    )


def _reading(playlist: MediaPlaylist, path: Path) -> Reading:
    """Read every segment, one at a time, so that memory does not grow with the film."""
    with path.open("rb") as file:

        def read(offset: int | None, size: int) -> bytes:
            file.seek(offset or 0)
            return file.read(size)

        init = playlist.segments[0].map
        index = index_range(playlist)
        return Reading(
            init=None
            if init is None or init.range is None
            else init_reading(read(init.range.offset, init.range.size)),
            segments=tuple(
                None if s.range is None else segment_reading(read(s.range.offset, s.range.size))
                for s in playlist.segments
            ),
            index=None if index is None else index_reading(read(index[1], index[2])),
        )
