"""Rules of delivery: what a server must do beside having the right bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packager.lint.answers import Answer
from packager.lint.playlist import MediaPlaylist, Playlist
from packager.lint.presentation import Presentation
from packager.lint.registry import Family, Fault

FAMILY = Family("delivery")

_PLAYLIST_TYPES = frozenset({"application/vnd.apple.mpegurl", "audio/mpegurl"})
_MEDIA_TYPES = frozenset({"audio/mp4", "video/mp4", "video/iso.segment"})
_CONTENT_RANGE = re.compile(r"bytes ([0-9]+)-([0-9]+)/([0-9]+)")
_REDIRECTS = "answered with a redirect"


@FAMILY.error(
    "reachable",
    "RFC 8216bis 6.2.1",
    "serve everything that a playlist names, for as long as the playlist is good",
)
def _reachable(p: Presentation) -> Iterator[Fault]:
    """Everything that a playlist names can be had."""
    for missing in p.unreachable:
        yield Fault(missing.where, missing.line, missing.what)


@FAMILY.error(
    "playlist-mime",
    "RFC 8216bis 4; Apple HLS authoring 10.4",
    "send Content-Type: application/vnd.apple.mpegurl",
)
def _playlist_mime(p: Presentation) -> Iterator[Fault]:
    """Playlists have the media type of HLS."""
    for playlist, answer in _answered(p):
        if answer.media_type not in _PLAYLIST_TYPES:
            yield Fault(playlist.name, None, f"Content-Type is {answer.media_type!r}")


@FAMILY.error("playlist-gzip", "Apple HLS authoring 10.1", "pack playlists with gzip")
def _playlist_gzip(p: Presentation) -> Iterator[Fault]:
    """Playlists are packed for those who take it."""
    for playlist, answer in _answered(p):
        if answer.headers.get("content-encoding", "").lower() not in {"gzip", "x-gzip"}:
            yield Fault(playlist.name, None, "is not packed, though Accept-Encoding names gzip")


@FAMILY.warning(
    "playlist-vary",
    "RFC 9110 12.5.5",
    "send Vary: Accept-Encoding, so that no cache gives packed bytes to whom cannot unpack them",
)
def _playlist_vary(p: Presentation) -> Iterator[Fault]:
    """A packed playlist says that it depends on Accept-Encoding."""
    for playlist, answer in _answered(p):
        vary = answer.headers.get("vary", "").lower()
        packed = "content-encoding" in answer.headers
        if packed and "accept-encoding" not in vary and vary.strip() != "*":
            yield Fault(playlist.name, None, f"Vary is {vary!r}")


@FAMILY.error(
    "playlist-cache",
    "RFC 9111 5.2.2; docs/design.md",
    "send Cache-Control: no-store with a playlist that names the present position",
)
def _playlist_cache(p: Presentation) -> Iterator[Fault]:
    """A playlist with the present position is kept by nobody: it would start others wrongly."""
    for playlist, answer in _answered(p):
        if playlist.first("EXT-X-START") is None:
            continue
        if not {"no-store", "no-cache", "max-age=0"} & answer.cache_control:
            said = answer.headers.get("cache-control")
            yield Fault(playlist.name, None, f"has EXT-X-START, and Cache-Control is {said!r}")


@FAMILY.warning("media-mime", "Apple HLS authoring 10.4", "send Content-Type: audio/mp4")
def _media_mime(p: Presentation) -> Iterator[Fault]:
    """Sound has the media type of fragmented MP4."""
    for playlist, line, answer in _media(p):
        if answer.media_type not in _MEDIA_TYPES:
            yield Fault(playlist.name, line, f"Content-Type is {answer.media_type!r}")


@FAMILY.error("media-redirect", "Apple HLS authoring 8.18", "serve media where the playlist says")
def _media_redirect(p: Presentation) -> Iterator[Fault]:
    """Media requests are not redirected."""
    for playlist, line, answer in _media(p):
        if answer.redirects:
            yield Fault(playlist.name, line, f"{_REDIRECTS} ({answer.redirects[0]})")


@FAMILY.warning(
    "playlist-redirect",
    "docs/design.md, HTTP",
    "answer with the playlist itself: a redirect costs a round trip at each join",
)
def _playlist_redirect(p: Presentation) -> Iterator[Fault]:
    """Playlists are not redirected."""
    for playlist, answer in _answered(p):
        if answer.redirects:
            yield Fault(playlist.name, None, f"{_REDIRECTS} ({answer.redirects[0]})")


@FAMILY.error(
    "range-status",
    "RFC 9110 14.2, 15.3.7",
    "answer a byte range with 206 and that range alone",
)
def _range_status(p: Presentation) -> Iterator[Fault]:
    """A byte range is answered with 206."""
    for playlist, line, answer in _media(p):
        if answer.wanted is not None and answer.status != 206:
            yield Fault(playlist.name, line, f"a range is answered with {answer.status}")


@FAMILY.error(
    "content-range",
    "RFC 9110 14.4, 15.3.7",
    "send Content-Range: bytes <first>-<last>/<size>, and as many bytes",
)
def _content_range(p: Presentation) -> Iterator[Fault]:
    """Content-Range is the range that was asked for, and the body is as long."""
    for playlist, line, answer in _media(p):
        if answer.wanted is None or answer.status != 206:
            continue
        said = answer.headers.get("content-range", "")
        match = _CONTENT_RANGE.fullmatch(said)
        first, last = answer.wanted
        if match is None:
            yield Fault(playlist.name, line, f"Content-Range is {said!r}")
            continue
        last = int(match[3]) - 1 if last is None else last
        if (int(match[1]), int(match[2])) != (first, last) or answer.size != last - first + 1:
            what = f"asked for {first}-{last}, got {said} and {answer.size} bytes"
            yield Fault(playlist.name, line, what)


@FAMILY.error(
    "open-range",
    "RFC 9110 14.1.2",
    "take ranges without an end: Chromium's own HLS and download managers ask so",
)
def _open_range(p: Presentation) -> Iterator[Fault]:
    """A range without an end is answered with 206 up to the file's end."""
    for playlist, reading in p.read:
        answer = reading.open_range
        if answer is not None and answer.status != 206:
            yield Fault(playlist.name, None, f"an open range is answered with {answer.status}")


@FAMILY.warning(
    "media-etag",
    "RFC 9110 8.8.3, 13.1.5",
    "send one strong ETag with every range, so that a download can be resumed",
)
def _media_etag(p: Presentation) -> Iterator[Fault]:
    """All ranges of a file carry one strong ETag."""
    seen: dict[str, str] = {}
    for playlist, line, answer in _media(p):
        tag = answer.headers.get("etag", "")
        if not tag.startswith('"'):
            yield Fault(playlist.name, line, f"ETag is {tag!r}")
        elif seen.setdefault(answer.url, tag) != tag:
            yield Fault(playlist.name, line, f"ETag {tag} differs from {seen[answer.url]} before")


@FAMILY.warning(
    "media-cache",
    "RFC 9111 5.2.2; docs/design.md",
    "send Cache-Control with a max-age (and immutable): what a URL names never changes",
)
def _media_cache(p: Presentation) -> Iterator[Fault]:
    """Sound may be kept by the device."""
    for playlist, line, answer in _media(p):
        said = answer.cache_control
        keeps = any(part.startswith("max-age=") and part != "max-age=0" for part in said)
        if not keeps or {"no-store", "no-cache"} & said:
            yield Fault(
                playlist.name, line, f"Cache-Control is {answer.headers.get('cache-control')!r}"
            )


@FAMILY.error(
    "media-private",
    "RFC 9111 5.2.2.7; docs/design.md",
    "send Cache-Control: private, for the address carries a token",
)
def _media_private(p: Presentation) -> Iterator[Fault]:
    """Sound behind a token is kept by no shared cache that does not check the token."""
    for playlist, line, answer in _media(p):
        if "public" in answer.cache_control:
            yield Fault(playlist.name, line, "Cache-Control is public")


def _answered(p: Presentation) -> Iterator[tuple[Playlist, Answer]]:
    for playlist in p.playlists:
        if playlist.answer is not None:
            yield playlist, playlist.answer


def _media(p: Presentation) -> Iterator[tuple[MediaPlaylist, int | None, Answer]]:
    """Answers of init and media segments, with the line that names them."""
    for playlist, reading in p.read:
        if reading.init is not None and reading.init.answer is not None:
            tag = playlist.first("EXT-X-MAP")
            yield playlist, None if tag is None else tag.line, reading.init.answer
        for segment, found in zip(playlist.segments, reading.segments, strict=True):
            if found is not None and found.answer is not None:
                yield playlist, segment.line, found.answer
