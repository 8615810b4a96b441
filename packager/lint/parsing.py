"""Reads a playlist's text into what the rules see; forgives everything, mends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from packager.lint.answers import Answer
from packager.lint.lines import Line, Tag, read_attributes, split_lines, tags
from packager.lint.playlist import (
    MULTIVARIANT_TAGS,
    Map,
    MediaPlaylist,
    MediaTag,
    MultivariantPlaylist,
    Segment,
    Variant,
)
from packager.lint.values import ByteRange, read_byte_range, read_date_time, read_duration


def read_playlist(
    url: str, raw: bytes, answer: Answer | None = None
) -> MediaPlaylist | MultivariantPlaylist:
    """Read either kind; what names variants or renditions is a Multivariant Playlist."""
    text = raw.decode("utf-8", "replace")
    lines = split_lines(text)
    found = tuple(tags(lines))
    names = {tag.name for tag in found}
    if names & MULTIVARIANT_TAGS and "EXTINF" not in names:
        variants = tuple(_variants(url, lines, found))
        media = tuple(_media(url, tag) for tag in found if tag.name == "EXT-X-MEDIA")
        return MultivariantPlaylist(url, raw, text, lines, found, answer, variants, media)
    segments = tuple(_segments(url, lines, found))
    return MediaPlaylist(url, raw, text, lines, found, answer, segments)


def _variants(url: str, lines: Sequence[Line], found: Sequence[Tag]) -> list[Variant]:
    by_number = {line.number: line.text for line in lines}
    variants = []
    for tag in found:
        if tag.name == "EXT-X-STREAM-INF":
            # The URI is the line that follows (4.4.6.2).
            uri = by_number.get(tag.line + 1, "")
            target = resolved(url, uri) if uri and not uri.startswith("#") else None
            variants.append(Variant(read_attributes(tag.value), target, tag.line))
    return variants


def _media(url: str, tag: Tag) -> MediaTag:
    attributes = read_attributes(tag.value)
    uri = attributes.get("URI")
    return MediaTag(attributes, None if uri is None else resolved(url, uri), tag.line)


def _segments(url: str, lines: Sequence[Line], found: Sequence[Tag]) -> list[Segment]:
    by_line = {tag.line: tag for tag in found}
    segments: list[Segment] = []
    extinf: Tag | None = None
    byte_range: ByteRange | None = None
    current: Map | None = None
    date_time: datetime | None = None
    ends: dict[str, int] = {}
    for line in lines:
        tag = by_line.get(line.number)
        if tag is None:
            if not line.text or line.text.startswith("#"):
                continue
            target = resolved(url, line.text) or ""
            written = byte_range is None or byte_range.offset is not None
            if byte_range is not None:
                # Without an offset it begins after the last one of the same resource (4.4.4.2).
                start = byte_range.offset
                start = ends.get(target) if start is None else start
                byte_range = ByteRange(byte_range.size, start)
                if start is not None:
                    ends[target] = start + byte_range.size
            segments.append(
                Segment(
                    url=target,
                    line=line.number if extinf is None else extinf.line,
                    duration_s=None if extinf is None else read_duration(extinf.value),
                    range=byte_range,
                    offset_written=written,
                    map=current,
                    date_time=date_time,
                )
            )
            extinf = byte_range = date_time = None
        elif tag.name == "EXTINF":
            extinf = tag
        elif tag.name == "EXT-X-BYTERANGE":
            byte_range = read_byte_range(tag.value)
        elif tag.name == "EXT-X-MAP":
            current = _map(url, tag)
        elif tag.name == "EXT-X-PROGRAM-DATE-TIME":
            date_time = read_date_time(tag.value)
    return segments


def resolved(base: str, uri: str) -> str | None:
    """Address that *uri* names from *base* (RFC 3986 5.2); None where it is no URI at all."""
    try:
        target = urljoin(base, uri)
        urlsplit(target)
    except ValueError:
        return None
    return target


def _map(url: str, tag: Tag) -> Map:
    attributes = read_attributes(tag.value)
    uri = attributes.get("URI")
    return Map(
        None if uri is None else resolved(url, uri),
        read_byte_range(attributes.get("BYTERANGE")),
        tag.line,
    )
