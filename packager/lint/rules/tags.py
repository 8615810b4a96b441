"""Rules of tags: their values, how often they stand, and the version that they ask for."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import m3u8

from packager.lint.playlist import MediaPlaylist, MultivariantPlaylist, Playlist
from packager.lint.presentation import Presentation
from packager.lint.registry import Family, Fault
from packager.lint.values import (
    ByteRange,
    read_byte_range,
    read_date_time,
    read_decimal,
    read_duration,
)

FAMILY = Family("tags")

_ONCE = frozenset(
    {
        "EXTM3U", "EXT-X-VERSION", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE",
        "EXT-X-PLAYLIST-TYPE", "EXT-X-ENDLIST", "EXT-X-INDEPENDENT-SEGMENTS",
        "EXT-X-DISCONTINUITY-SEQUENCE",
    }
)  # fmt: skip


@FAMILY.error(
    "tag-value",
    "RFC 8216bis 4.4.3, 4.4.4",
    "write the value in the tag's form: EXTINF:<seconds>,  BYTERANGE:<n>@<o>  and so on",
)
def _tag_value(p: Presentation) -> Iterator[Fault]:
    """The value of every Media Playlist tag is of the tag's form."""
    readers = {
        "EXTINF": read_duration,
        "EXT-X-BYTERANGE": read_byte_range,
        "EXT-X-TARGETDURATION": read_decimal,
        "EXT-X-MEDIA-SEQUENCE": read_decimal,
        "EXT-X-VERSION": read_decimal,
    }
    for playlist in p.playlists:
        for tag in playlist.tags:
            if tag.name in readers and readers[tag.name](tag.value) is None:
                yield Fault(playlist.name, tag.line, f"#{tag.name}:{tag.value} is of another form")


@FAMILY.error(
    "date-time-form",
    "RFC 8216bis 4.4.4.6",
    "write ISO 8601 with milliseconds and a zone, as 2027-03-05T19:30:00.000Z",
)
def _date_time_form(p: Presentation) -> Iterator[Fault]:
    """EXT-X-PROGRAM-DATE-TIME is ISO 8601 and names its zone."""
    for playlist in p.playlists:
        for tag in playlist.all("EXT-X-PROGRAM-DATE-TIME"):
            if read_date_time(tag.value) is None:
                yield Fault(playlist.name, tag.line, f"{tag.value!r} is no instant with a zone")


@FAMILY.error("tag-once", "RFC 8216bis 4.4.1.2, 4.4.2, 4.4.3", "keep one and remove the others")
def _tag_once(p: Presentation) -> Iterator[Fault]:
    """What holds for a whole playlist stands in it once."""
    for playlist in p.playlists:
        for name in sorted(_ONCE):
            for tag in playlist.all(name)[1:]:
                yield Fault(playlist.name, tag.line, f"#{name} stands there again")


@FAMILY.error("start-once", "RFC 8216bis 4.4.2.2", "keep one EXT-X-START and remove the others")
def _start_once(p: Presentation) -> Iterator[Fault]:
    """EXT-X-START stands in a playlist at most once."""
    for playlist in p.playlists:
        for tag in playlist.all("EXT-X-START")[1:]:
            yield Fault(playlist.name, tag.line, "EXT-X-START stands there again")


@FAMILY.error(
    "segment-tags",
    "RFC 8216bis 4.4.4.1, 4.4.4.2",
    "write EXTINF (and EXT-X-BYTERANGE) before each URI, and a URI after each",
)
def _segment_tags(p: Presentation) -> Iterator[Fault]:
    """Every segment has an EXTINF, and no EXTINF or EXT-X-BYTERANGE lacks its segment."""
    for playlist in p.media.values():
        for segment in playlist.segments:
            text = playlist.lines[segment.line - 1].text
            if not text.startswith("#EXTINF"):
                yield Fault(playlist.name, segment.line, "a URI without an EXTINF")
        waiting: dict[str, int] = {}
        by_line = {tag.line: tag for tag in playlist.tags}
        for number, text in playlist.lines:
            tag = by_line.get(number)
            if tag is not None and tag.name in {"EXTINF", "EXT-X-BYTERANGE"}:
                if tag.name in waiting:
                    yield Fault(playlist.name, waiting[tag.name], f"#{tag.name} without a URI")
                waiting[tag.name] = number
            elif tag is None and text and not text.startswith("#"):
                waiting.clear()
        for name, number in waiting.items():
            yield Fault(playlist.name, number, f"#{name} without a URI")


@FAMILY.error(
    "version",
    "RFC 8216bis 4.4.1.2; RFC 8216 7",
    "declare the version that the tags in use ask for (6 for EXT-X-MAP)",
)
def _version(p: Presentation) -> Iterator[Fault]:
    """EXT-X-VERSION is at least what the tags in use ask for."""
    for playlist in p.playlists:
        needed, why = _needed_version(playlist)
        tag = playlist.first("EXT-X-VERSION")
        declared = playlist.number("EXT-X-VERSION") or 1
        if declared < needed:
            line = None if tag is None else tag.line
            yield Fault(playlist.name, line, f"declares {declared}, {why} asks for {needed}")


@FAMILY.error(
    "second-reader",
    "another parser's reading (the m3u8 library)",
    "write the line as the specification shows it, so that all parsers read the same",
)
def _second_reader(p: Presentation) -> Iterator[Fault]:
    """An independent parser reads the same segments, ranges and variants."""
    for playlist in p.playlists:
        try:
            other = m3u8.loads(playlist.text)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            yield Fault(playlist.name, None, f"it gives up: {error}")
            continue
        ours: list[object]
        theirs: list[object]
        if isinstance(playlist, MultivariantPlaylist):
            ours = [v.number("BANDWIDTH") for v in playlist.variants]
            theirs = [v.stream_info.bandwidth for v in other.playlists]
        elif isinstance(playlist, MediaPlaylist):
            ours = [_key(s.duration_s, s.range) for s in playlist.segments]
            theirs = [_key(s.duration, read_byte_range(s.byterange)) for s in other.segments]
        else:
            continue
        if len(ours) != len(theirs):
            yield Fault(playlist.name, None, f"it reads {len(theirs)} entries, not {len(ours)}")
        elif ours != theirs:
            first = next(i for i in range(len(ours)) if ours[i] != theirs[i])
            yield Fault(
                playlist.name, None, f"it reads {theirs[first]} as entry {first}, not {ours[first]}"
            )


def _key(duration_s: Fraction | float | None, byte_range: ByteRange | None) -> object:
    seconds = None if duration_s is None else round(float(duration_s), 6)
    return seconds, None if byte_range is None else byte_range.size


def _needed_version(playlist: Playlist) -> tuple[int, str]:
    names = {tag.name for tag in playlist.tags}
    if "EXT-X-SKIP" in names:
        return 9, "EXT-X-SKIP"
    if "EXT-X-DEFINE" in names:
        return 8, "EXT-X-DEFINE"
    if "EXT-X-MAP" in names:
        return (5, "EXT-X-MAP") if "EXT-X-I-FRAMES-ONLY" in names else (6, "EXT-X-MAP")
    if "EXT-X-BYTERANGE" in names:
        return 4, "EXT-X-BYTERANGE"
    if any("." in (tag.value or "") for tag in playlist.all("EXTINF")):
        return 3, "a decimal EXTINF"
    return 1, "it"
