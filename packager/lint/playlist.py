"""A playlist as rules see it: values with the lines that they stand in, nothing mended.

What cannot be read is None here, and the rules of syntax say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from packager.lint.answers import Answer, shown
from packager.lint.lines import Attributes, Line, Tag, read_attributes
from packager.lint.values import ByteRange, read_decimal

_MEDIA_TAGS = frozenset(
    {
        "EXTINF", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE",
        "EXT-X-ENDLIST", "EXT-X-PLAYLIST-TYPE", "EXT-X-I-FRAMES-ONLY", "EXT-X-PART-INF",
        "EXT-X-SERVER-CONTROL", "EXT-X-BYTERANGE", "EXT-X-DISCONTINUITY", "EXT-X-KEY", "EXT-X-MAP",
        "EXT-X-PROGRAM-DATE-TIME", "EXT-X-GAP", "EXT-X-BITRATE", "EXT-X-PART", "EXT-X-DATERANGE",
        "EXT-X-SKIP", "EXT-X-PRELOAD-HINT", "EXT-X-RENDITION-REPORT",
    }
)  # fmt: skip
MULTIVARIANT_TAGS = frozenset(
    {
        "EXT-X-MEDIA", "EXT-X-STREAM-INF", "EXT-X-I-FRAME-STREAM-INF", "EXT-X-SESSION-DATA",
        "EXT-X-SESSION-KEY", "EXT-X-CONTENT-STEERING",
    }
)  # fmt: skip
_BOTH_TAGS = frozenset(
    {"EXTM3U", "EXT-X-VERSION", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-START", "EXT-X-DEFINE"}
)
KNOWN_TAGS = _MEDIA_TAGS | MULTIVARIANT_TAGS | _BOTH_TAGS


@dataclass(frozen=True, slots=True)
class Map:
    """EXT-X-MAP (RFC 8216bis 4.4.4.5): where the init segment is."""

    url: str | None
    range: ByteRange | None
    line: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A media segment as its playlist describes it.

    `line` is that of its EXTINF, or of its URI where there is none. `range` has its offset filled
    in where it is left to be added up (4.4.4.2); `offset_written` says whether it stood there.
    """

    url: str
    line: int
    duration_s: Fraction | None
    range: ByteRange | None
    offset_written: bool
    map: Map | None
    date_time: datetime | None


@dataclass(frozen=True, slots=True)
class Playlist:
    """A playlist's text and how it came; base of both kinds."""

    url: str
    raw: bytes
    text: str
    lines: tuple[Line, ...]
    tags: tuple[Tag, ...]
    answer: Answer | None

    @property
    def name(self) -> str:
        """How findings name it: without a token."""
        return shown(self.url)

    def all(self, name: str) -> list[Tag]:
        """Tags of that name, in order."""
        return [tag for tag in self.tags if tag.name == name]

    def first(self, name: str) -> Tag | None:
        """First tag of that name."""
        return next((tag for tag in self.tags if tag.name == name), None)

    def number(self, name: str) -> int | None:
        """Value of a tag that holds a decimal-integer (4.2)."""
        tag = self.first(name)
        return None if tag is None else read_decimal(tag.value)

    @property
    def uris(self) -> Iterator[tuple[str, int]]:
        """Every URI as it is written, and its line."""
        tagged = {tag.line for tag in self.tags}
        for number, text in self.lines:
            if number not in tagged and text and not text.startswith("#"):
                yield text, number
        for tag in self.tags:
            if tag.name in {"EXT-X-MAP", "EXT-X-MEDIA"}:
                uri = read_attributes(tag.value).get("URI")
                if uri is not None:
                    yield uri, tag.line

    @property
    def mixes(self) -> bool:
        """Whether it has tags of both kinds of playlist."""
        names = {tag.name for tag in self.tags}
        return bool(names & _MEDIA_TAGS) and bool(names & MULTIVARIANT_TAGS)


@dataclass(frozen=True, slots=True)
class MediaPlaylist(Playlist):
    """A Media Playlist (RFC 8216bis 4.4.3, 4.4.4)."""

    segments: tuple[Segment, ...]

    @property
    def duration_s(self) -> Fraction:
        """Sum of all EXTINF."""
        return sum((s.duration_s for s in self.segments if s.duration_s is not None), Fraction(0))


@dataclass(frozen=True, slots=True)
class Variant:
    """EXT-X-STREAM-INF and the URI after it (4.4.6.2)."""

    attributes: Attributes
    url: str | None
    line: int

    def number(self, name: str) -> int | None:
        """Attribute that is a decimal-integer."""
        return read_decimal(self.attributes.raw.get(name))


@dataclass(frozen=True, slots=True)
class MediaTag:
    """EXT-X-MEDIA (4.4.6.1)."""

    attributes: Attributes
    url: str | None
    line: int

    def get(self, name: str) -> str | None:
        """Value of an attribute without its quotes."""
        return self.attributes.get(name)

    @property
    def group(self) -> str:
        """Its GROUP-ID, empty where there is none."""
        return self.get("GROUP-ID") or ""

    @property
    def is_audio(self) -> bool:
        """Whether its TYPE is AUDIO."""
        return self.get("TYPE") == "AUDIO"

    @property
    def describes_video(self) -> bool:
        """Whether it is marked as audio description."""
        named = (self.get("CHARACTERISTICS") or "").split(",")
        return "public.accessibility.describes-video" in named


@dataclass(frozen=True, slots=True)
class MultivariantPlaylist(Playlist):
    """A Multivariant Playlist (RFC 8216bis 4.4.6)."""

    variants: tuple[Variant, ...]
    media: tuple[MediaTag, ...]

    @property
    def audio(self) -> tuple[MediaTag, ...]:
        """Renditions of sound."""
        return tuple(tag for tag in self.media if tag.is_audio)

    def group(self, name: str | None) -> tuple[MediaTag, ...]:
        """Audio renditions of a group; none for None."""
        return tuple(tag for tag in self.audio if name is not None and tag.group == name)

    def referenced(self) -> list[tuple[str, int]]:
        """Addresses of the Media Playlists and the lines that name them, each address once."""
        named: dict[str, int] = {}
        entries = [(v.url, v.line) for v in self.variants] + [(m.url, m.line) for m in self.audio]
        for url, line in entries:
            if url is not None:
                named.setdefault(url, line)
        return list(named.items())
