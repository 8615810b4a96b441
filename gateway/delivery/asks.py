"""Reading the other requests that are many: a plain GET of a grant, a playlist or a decision. Pure.

As in heads.py: what has any other form, or says anything that would change the answer beyond what
is read here, is not read and goes to the HTTP library.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from gateway.negotiation import accepts_gzip

_MAX_HEAD = 8192
# Each line with its end: Python 3.11.2 matches nothing where they begin with it, 3.11.7 does.
_REST = rb" HTTP/1\.1\r\n(?>(?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t\x20-\x7e]*+\r\n)++)\r\n"
# A token as in heads.py; Multivariant Playlists are named after their codec's use.
_PLAYLIST = re.compile(
    rb"GET (/stream/([A-Za-z0-9._~-]{3,512})/(main|opus|[a-z0-9]{1,16}-[0-9]{1,8}k)\.m3u8)" + _REST
)
_DECISION = re.compile(rb"GET (/stream/([A-Za-z0-9._~-]{3,512})/decision)" + _REST)
# A movie's id as media.ids allows it, a purchase's as catalog.ids makes it.
_GRANT = re.compile(
    rb"GET (/media/audio/([A-Za-z0-9_-][A-Za-z0-9._-]{0,63}))\?ticket=([a-z2-7]{20})" + _REST
)
# Lines that change the answer, its framing or the connection: as in heads.py, and what chooses
# among the forms of an answer (RFC 9110 12.5) or says who asks (RFC 9110 11.6.2; Fetch 3.2).
_MATTERS = re.compile(
    rb"\r\n(host|range|if-[a-z-]+|content-length|transfer-encoding|trailer|te|upgrade|expect"
    rb"|connection|traceparent|accept|accept-encoding|authorization|origin|save-data)"
    rb":[\t ]*([^\r]*)",
    re.IGNORECASE,
)
_READ = frozenset({b"host", b"connection", b"traceparent", b"accept", b"accept-encoding"})


class Ask(NamedTuple):
    """What all of them say; `path` is without the query, texts are None where they are not sent."""

    path: str
    gzip: bool
    accept: str | None
    traceparent: str | None


class PlaylistAsk(NamedTuple):
    """A Multivariant Playlist (`main` and `opus`), or the Media Playlist of a rendition."""

    ask: Ask
    token: str
    name: str


class DecisionAsk(NamedTuple):
    """Whether a token opens files, for a server that sends them."""

    ask: Ask
    token: str


class GrantAsk(NamedTuple):
    """A grant for a ticket; `authorization` is the header as it was sent."""

    ask: Ask
    movie_id: str
    ticket: str
    authorization: str


def read_ask(data: bytes) -> PlaylistAsk | DecisionAsk | GrantAsk | None:
    """What *data* asks for, where it is one whole request of these forms and nothing after it."""
    if len(data) > _MAX_HEAD:
        return None
    head = _PLAYLIST.fullmatch(data)
    if head is not None:
        lines = _lines(data, _READ)
        if lines is None:
            return None
        return PlaylistAsk(_ask(head[1], lines), head[2].decode("ascii"), head[3].decode("ascii"))
    head = _DECISION.fullmatch(data)
    if head is not None:
        lines = _lines(data, _READ)
        return None if lines is None else DecisionAsk(_ask(head[1], lines), head[2].decode("ascii"))
    head = _GRANT.fullmatch(data)
    if head is None:
        return None
    lines = _lines(data, _READ | {b"authorization"})
    if lines is None or b"authorization" not in lines:
        return None
    return GrantAsk(
        _ask(head[1], lines),
        head[2].decode("ascii"),
        head[3].decode("ascii"),
        lines[b"authorization"].decode("ascii"),
    )


def _lines(data: bytes, known: frozenset[bytes]) -> dict[bytes, bytes] | None:
    """The lines that matter; None where there is one that is not *known*, or one twice."""
    lines: dict[bytes, bytes] = {}
    for name, value in _MATTERS.findall(data):
        lowered = name.lower()
        if lowered in lines or lowered not in known:
            return None
        lines[lowered] = value.rstrip(b" \t")
    # One Host in every request (RFC 9112 3.2).
    if b"host" not in lines or lines.get(b"connection", b"keep-alive").lower() != b"keep-alive":
        return None
    return lines


def _ask(path: bytes, lines: dict[bytes, bytes]) -> Ask:
    text = {name: value.decode("ascii") for name, value in lines.items()}
    return Ask(
        path.decode("ascii"),
        accepts_gzip(text.get(b"accept-encoding")),
        text.get(b"accept"),
        text.get(b"traceparent"),
    )
