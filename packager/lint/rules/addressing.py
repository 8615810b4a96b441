"""Rules of addresses: init segments, byte ranges, and what stands in a URI."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packager.lint.parsing import resolved
from packager.lint.presentation import Presentation
from packager.lint.registry import Family, Fault

FAMILY = Family("addresses")

# unreserved, reserved and "%" (RFC 3986 2.2, 2.3).
_URI = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")


@FAMILY.error(
    "map-present",
    "RFC 8216bis 3.1.2; Apple HLS authoring 8.20",
    "write EXT-X-MAP with the init segment before the first segment",
)
def _map_present(p: Presentation) -> Iterator[Fault]:
    """Every segment of fragmented MP4 has an EXT-X-MAP before it."""
    for playlist in p.media.values():
        for segment in playlist.segments:
            if segment.map is None or segment.map.url is None:
                yield Fault(playlist.name, segment.line, "no EXT-X-MAP with a URI before it")
                break


@FAMILY.error(
    "map-range",
    "RFC 8216bis 4.4.4.5",
    'write BYTERANGE="<size>@<offset>" with the init segment alone',
)
def _map_range(p: Presentation) -> Iterator[Fault]:
    """EXT-X-MAP into the segments' own file has a BYTERANGE with its offset written."""
    for playlist in p.media.values():
        for segment in playlist.segments[:1]:
            if segment.map is None or segment.range is None or segment.map.url != segment.url:
                continue
            if segment.map.range is None:
                yield Fault(playlist.name, segment.map.line, "has no BYTERANGE: it is all the file")
            elif segment.map.range.offset is None:
                yield Fault(playlist.name, segment.map.line, "its BYTERANGE has no offset")


@FAMILY.error(
    "map-bytes",
    "RFC 8216bis 3.1.2, 4.4.4.5; ISO/IEC 23000-19 7.3.1",
    "name exactly the bytes of ftyp and moov",
)
def _map_bytes(p: Presentation) -> Iterator[Fault]:
    """The bytes that EXT-X-MAP names are the init segment: ftyp and moov, nothing else."""
    for playlist, reading in p.read:
        if reading.init is None:
            continue
        tag = playlist.first("EXT-X-MAP")
        line = None if tag is None else tag.line
        if reading.init.damage is not None:
            yield Fault(playlist.name, line, reading.init.damage)
        elif not reading.init.exact:
            yield Fault(playlist.name, line, "names more than ftyp and moov")


@FAMILY.warning(
    "range-offset",
    "RFC 8216bis 4.4.4.2",
    "write @<offset> always, so that no client has to add up",
)
def _range_offset(p: Presentation) -> Iterator[Fault]:
    """Every EXT-X-BYTERANGE has its offset written."""
    for playlist in p.media.values():
        for segment in playlist.segments:
            if not segment.offset_written:
                yield Fault(playlist.name, segment.line, "its byte range has no offset")


@FAMILY.error(
    "range-follows",
    "RFC 8216bis 4.4.4.2; docs/design.md",
    "begin each range where the one before ends",
)
def _range_follows(p: Presentation) -> Iterator[Fault]:
    """Byte ranges of one file follow each other without overlap or hole."""
    for playlist in p.media.values():
        ends: dict[str, int] = {}
        for segment in playlist.segments:
            if segment.range is None or segment.range.offset is None:
                continue
            end = ends.get(segment.url)
            if end is not None and segment.range.offset != end:
                what = f"begins at byte {segment.range.offset}, the one before ended at {end}"
                yield Fault(playlist.name, segment.line, what)
            ends[segment.url] = segment.range.offset + segment.range.size


@FAMILY.error(
    "segment-bytes",
    "RFC 8216bis 3.1.2; ISO/IEC 23000-19 7.3.2",
    "let each range hold whole fragments (moof and mdat), nothing cut",
)
def _segment_bytes(p: Presentation) -> Iterator[Fault]:
    """The bytes of every segment are whole fragments."""
    for playlist, segment, found in p.read_segments:
        if found.damage is not None:
            yield Fault(playlist.name, segment.line, found.damage)


@FAMILY.error(
    "uri-form", "RFC 8216bis 4.1; RFC 3986 2", "escape what is no character of a URI, as %20"
)
def _uri_form(p: Presentation) -> Iterator[Fault]:
    """URIs are of the form and of the characters that RFC 3986 allows."""
    for playlist in p.playlists:
        for uri, line in playlist.uris:
            if _URI.fullmatch(uri) is None:
                yield Fault(playlist.name, line, "holds a character that no URI has")
            elif resolved(playlist.url, uri) is None:
                yield Fault(playlist.name, line, "is no URI")


@FAMILY.error(
    "uri-query",
    "docs/design.md, decisions; docs/measurements.md",
    "put the token into the path: players do not carry a query to what a playlist names",
)
def _uri_query(p: Presentation) -> Iterator[Fault]:
    """No URI carries a query, so no token can be lost on the way or land in a log of queries."""
    for playlist in p.playlists:
        for uri, line in playlist.uris:
            if "?" in uri:
                yield Fault(playlist.name, line, "the URI has a query")
