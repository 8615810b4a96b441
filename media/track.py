"""track.json: the format in which the packager and the gateway meet.

A rendition is one fragmented MP4 file (CMAF, with sidx). Its pieces are given as byte offset, byte
size and samples, so that a playlist is written without opening the file.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, NamedTuple, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from media.errors import InvalidIdError, TrackFormatError
from media.grid import FRAGMENT_SAMPLES, FRAGMENTS_PER_SEGMENT
from media.ids import check_id, check_language

M = TypeVar("M", bound=BaseModel)

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Piece(NamedTuple):
    """A fragment or a media segment: where it lies in the file, and how long it sounds."""

    offset: int
    size: int
    samples: int


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ByteRange(_Model):
    """*size* bytes from *offset*."""

    offset: Annotated[int, Field(ge=0)]
    size: Annotated[int, Field(gt=0)]


class Loudness(_Model):
    """EBU R128 of a whole programme."""

    integrated_lufs: float
    range_lu: float
    true_peak_dbtp: float


class Source(_Model):
    """What the track was made from."""

    name: str
    sha256: Sha256
    duration_samples: Annotated[int, Field(gt=0, description="after resampling to 48 kHz")]
    loudness: Loudness | None = None


class FindingNote(_Model):
    """What the quality check found and the operator let pass; `at_s` is a time in the track.

    `severity` is note, warning or error; an error stands here only where it was accepted.
    """

    code: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    severity: Literal["note", "warning", "error"]
    at_s: float | None = None
    accepted: bool = False


class Rendition(_Model):
    """One encoding of a track.

    `loudness_lufs` is what its decoded sound measures (EBU R128), None where it was not measured.
    `segment_crc32` has one checksum for each segment (CRC-32 of zlib), so that bytes which have
    changed on a disk can be named; None in older tracks.
    `codecs` is the RFC 6381 string; `peak_bps` is the largest rate over any run of segments that
    lasts 0.5 to 1.5 target durations, `average_bps` that of all segments (RFC 8216bis 4.4.6.2);
    `bit_rate_bps` is what the encoder was asked for and names the rendition.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+-[0-9]+k$")]
    codec: Literal["aac", "opus"]
    codecs: str
    channels: Annotated[int, Field(ge=1, le=2)]
    bit_rate_bps: Annotated[int, Field(gt=0)]
    peak_bps: Annotated[int, Field(gt=0)]
    average_bps: Annotated[int, Field(gt=0)]
    size_bytes: Annotated[int, Field(gt=0)]
    sha256: Sha256
    loudness_lufs: float | None = None
    init: ByteRange
    fragments: tuple[Piece, ...]
    segments: tuple[Piece, ...]
    segment_crc32: tuple[int, ...] | None = None

    @property
    def file_name(self) -> str:
        """Name of the rendition's file, beside track.json."""
        return f"{self.name}.mp4"


class Track(_Model):
    """One published AD recording of a movie in a language; immutable.

    `track_offset_s` is where the track's sample 0 lies on the movie's timeline, in seconds.
    `silences` are the narrator's pauses as [first sample, sample after the last]; None where they
    were not measured. `gain_db` is what the source was made louder by, and `loudness` that of the
    result. `conform` is the source's frame rate and the film's, as 25:24; `film_starts_at_s` is
    what was cut off before the film's first frame. All of these are missing in older tracks.
    """

    format: Literal[1] = 1
    movie_id: str
    language: str
    version: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    title: str
    sample_rate_hz: Literal[48000] = 48000
    duration_samples: Annotated[int, Field(gt=0)]
    track_offset_s: float = 0.0
    source: Source
    loudness: Loudness | None = None
    gain_db: float = 0.0
    conform: Annotated[str, Field(pattern=r"^[0-9/]+:[0-9/]+$")] | None = None
    film_starts_at_s: float = 0.0
    findings: tuple[FindingNote, ...] = ()
    silences: tuple[tuple[int, int], ...] | None = None
    renditions: Annotated[tuple[Rendition, ...], Field(min_length=1)]

    @property
    def duration_s(self) -> float:
        """Length of the sound in seconds."""
        return self.duration_samples / self.sample_rate_hz

    @property
    def prefix(self) -> str:
        """Storage prefix of this version, without a trailing slash."""
        return track_prefix(self.movie_id, self.language, self.version)

    def rendition(self, name: str) -> Rendition | None:
        """Return the rendition of that name, or None."""
        return next((r for r in self.renditions if r.name == name), None)

    @model_validator(mode="after")
    def _check(self) -> Track:
        check_id("movie_id", self.movie_id)
        check_language(self.language)
        names = [r.name for r in self.renditions]
        if len(set(names)) != len(names):
            raise ValueError(f"rendition names repeat: {names}")
        for rendition in self.renditions:
            _check_pieces(rendition, self.duration_samples)
        return self


def _check_pieces(rendition: Rendition, duration_samples: int) -> None:
    fragments, segments = rendition.fragments, rendition.segments
    if not fragments or not segments:
        raise ValueError(f"{rendition.name}: no fragments or no segments")
    end = fragments[0].offset
    for piece in fragments:
        if piece.offset != end or piece.size <= 0:
            raise ValueError(f"{rendition.name}: fragment at byte {piece.offset} does not follow")
        end += piece.size
    if end > rendition.size_bytes:
        raise ValueError(f"{rendition.name}: fragments end at {end} past the file's end")
    if any(p.samples != FRAGMENT_SAMPLES for p in fragments[:-1]):
        raise ValueError(f"{rendition.name}: a fragment is off the grid of {FRAGMENT_SAMPLES}")
    if sum(p.samples for p in fragments) != duration_samples:
        raise ValueError(f"{rendition.name}: fragments do not add up to {duration_samples} samples")
    checksums = rendition.segment_crc32
    if checksums is not None and len(checksums) != len(segments):
        raise ValueError(f"{rendition.name}: {len(checksums)} checksums, {len(segments)} segments")
    if segments != group_segments(fragments):
        raise ValueError(f"{rendition.name}: segments are not runs of {FRAGMENTS_PER_SEGMENT}")


def group_segments(fragments: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Join each run of six fragments into a media segment; the last one may be shorter."""
    segments = []
    for first in range(0, len(fragments), FRAGMENTS_PER_SEGMENT):
        run = fragments[first : first + FRAGMENTS_PER_SEGMENT]
        segments.append(Piece(run[0].offset, sum(p.size for p in run), sum(p.samples for p in run)))
    return tuple(segments)


def track_prefix(movie_id: str, language: str, version: str) -> str:
    """Storage prefix of one version of a track."""
    return (
        f"tracks/{check_id('movie_id', movie_id)}/{check_language(language)}"
        f"/{check_id('version', version)}"
    )


def current_key(movie_id: str, language: str) -> str:
    """Storage key of the pointer to the current version."""
    return f"tracks/{check_id('movie_id', movie_id)}/{check_language(language)}/current.json"


Version = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class Earlier(_Model):
    """A version that was current *until* then: who listened at that moment may still be on it."""

    version: Version
    until: AwareDatetime


class Current(_Model):
    """current.json: which version is current since when, and which were before it, newest first.

    `version` is None where the track is withdrawn.
    """

    version: Version | None
    since: AwareDatetime | None = None
    earlier: tuple[Earlier, ...] = ()

    def switched(self, version: str | None, now: datetime) -> Current:
        """The pointer after a switch to *version* (None: withdrawn) at *now*.

        What was current becomes the first of the earlier ones. To the same version it is unchanged.
        """
        if version == self.version:
            return self
        earlier = tuple(each for each in self.earlier if each.version != version)
        if self.version is not None:
            earlier = (Earlier(version=self.version, until=now), *earlier)
        return Current(version=version, since=now, earlier=earlier)


def dump_track(track: Track) -> bytes:
    """Write track.json, compact (a two-hour ladder has 45,000 pieces), ending in a newline."""
    return (track.model_dump_json() + "\n").encode()


def load_track(data: bytes, where: str) -> Track:
    """Read track.json; *where* names it in a TrackFormatError."""
    return _load(Track, data, where)


def dump_current(current: Current) -> bytes:
    """Write current.json."""
    return (current.model_dump_json() + "\n").encode()


def load_current(data: bytes, where: str) -> Current:
    """Read current.json; *where* names it in a TrackFormatError."""
    return _load(Current, data, where)


def _load(model: type[M], data: bytes, where: str) -> M:
    try:
        return model.model_validate_json(data)
    except InvalidIdError as error:
        raise TrackFormatError(where, str(error)) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise TrackFormatError(where, f"{place}: {first['msg']}") from error
