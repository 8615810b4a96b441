"""All that was read of a stream, before any rule looks at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from media.track import Track
from packager.lint.answers import Answer
from packager.lint.boxes import FragmentBoxes, IndexBox, InitHeader
from packager.lint.playlist import MediaPlaylist, MultivariantPlaylist, Playlist, Segment


@dataclass(frozen=True, slots=True)
class InitReading:
    """An init segment's bytes as EXT-X-MAP names them.

    `header` is None where they are no init segment, and `damage` says why. `exact` tells whether
    they are ftyp and moov and nothing else.
    """

    size: int
    header: InitHeader | None
    exact: bool
    damage: str | None
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class SegmentReading:
    """A media segment's bytes: its fragments, or why they cannot be read."""

    size: int
    fragments: tuple[FragmentBoxes, ...]
    damage: str | None
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a Media Playlist's resources.

    `segments` has one entry for each segment of the playlist, None where it was not read;
    `index` is the sidx between the init segment and the first media segment, where there is one.
    `open_range` answers a request without an end.
    """

    init: InitReading | None
    segments: tuple[SegmentReading | None, ...]
    index: IndexBox | None = None
    open_range: Answer | None = None

    @property
    def header(self) -> InitHeader | None:
        """The init segment, where it could be read."""
        return None if self.init is None else self.init.header


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Something that a playlist names and that could not be had."""

    where: str
    line: int | None
    what: str


@dataclass(frozen=True, slots=True)
class Presentation:
    """What is linted together: playlists that describe one track, and their bytes.

    `media` and `readings` are keyed by the Media Playlist's address. `multivariants` is empty where
    a Media Playlist is linted alone. For a folder `track` is what its track.json says, and
    `file_sizes` holds the size of each rendition's file by the rendition's name.
    """

    multivariants: tuple[MultivariantPlaylist, ...]
    media: Mapping[str, MediaPlaylist]
    readings: Mapping[str, Reading]
    unreachable: tuple[Unreachable, ...] = ()
    track: Track | None = None
    file_sizes: Mapping[str, int] = field(default_factory=dict)

    @property
    def playlists(self) -> Iterator[Playlist]:
        """Every playlist of both kinds."""
        yield from self.multivariants
        yield from self.media.values()

    @property
    def read(self) -> Iterator[tuple[MediaPlaylist, Reading]]:
        """Media Playlists whose resources were read."""
        for url, playlist in self.media.items():
            if url in self.readings:
                yield playlist, self.readings[url]

    @property
    def read_segments(self) -> Iterator[tuple[MediaPlaylist, Segment, SegmentReading]]:
        """Every media segment that was read, in the order of its playlist."""
        for playlist, reading in self.read:
            for segment, found in zip(playlist.segments, reading.segments, strict=True):
                if found is not None:
                    yield playlist, segment, found

    @property
    def headers(self) -> Iterator[tuple[MediaPlaylist, InitHeader]]:
        """Init segments that could be read."""
        for playlist, reading in self.read:
            if reading.header is not None:
                yield playlist, reading.header

    def header(self, url: str | None) -> InitHeader | None:
        """Init segment of the Media Playlist at *url*."""
        reading = self.readings.get(url or "")
        return None if reading is None else reading.header
