"""Reading the one request that is common: a plain GET of a byte range, whole and alone. Pure.

Whatever has any other form is not read here, nor refused: it goes to the HTTP library, as do all
other requests. So this must be strict, and need not know HTTP.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# Longer heads are rare.
_MAX_HEAD = 8192
# One line each, of visible ASCII, spaces and tabs (RFC 9112 2.2 and 5); a token in the
# characters of media.tokens, no dots of a path (RFC 3986 5.2.4), a rendition's name as track.json
# has it. Possessive, so that no head is slow to refuse.
_HEAD = re.compile(
    rb"GET /stream/([A-Za-z0-9._~-]{3,512})/([a-z0-9]{1,16}-[0-9]{1,8}k)\.mp4 HTTP/1\.1\r\n"
    rb"(?>(?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t\x20-\x7e]*+\r\n)++)\r\n"
)
# Lines that would change the answer, its framing or the connection: bodies (RFC 9112 6), conditions
# and ranges (RFC 9110 13 and 14), upgrades and expectations (RFC 9110 7.8 and 10.1.1), pages of
# other origins (Fetch 3.2). The name of a header has no case (RFC 9110 5.1), so they are looked for
# in lower case.
_MATTERS = re.compile(
    rb"\r\n(?:host|range|if-[a-z-]+|content-length|transfer-encoding|trailer|te|upgrade|expect"
    rb"|connection|traceparent|origin):[^\r]*"
)
_HOST = b"\r\nhost:"
_KEEP_ALIVE = b"\r\nconnection: keep-alive"
_RANGE = b"\r\nrange: bytes="
_TRACEPARENT = b"\r\ntraceparent:"
_MAX_DIGITS = 15


class Wanted(NamedTuple):
    """Bytes *first* to *last* of a rendition; `traceparent` is as it was sent."""

    token: bytes
    rendition: bytes
    first: int
    last: int
    traceparent: bytes | None


class HeadReader:
    """Reads the requests of one connection.

    A player asks for one segment after the other with the same words but for two numbers: so what
    stands before and after these is remembered, and only compared the next time.
    """

    __slots__ = ("_after", "_before", "_last")

    def __init__(self) -> None:
        self._before = b""
        self._after = b""
        self._last: Wanted | None = None

    def read(self, data: bytes) -> Wanted | None:
        """What *data* asks for, where it is one whole request of that form and nothing after it."""
        if self._last is not None and data.startswith(self._before):
            end = data.find(b"\r", len(self._before))
            if data[end:] == self._after:
                ends = _range(data[len(self._before) : end])
                if ends is not None:
                    return self._last._replace(first=ends[0], last=ends[1])
        self._last = wanted = read_head(data)
        if wanted is not None:
            # Before the numbers everything is as it was sent, the name's case too.
            self._before = data[: data.lower().index(_RANGE) + len(_RANGE)]
            self._after = data[data.index(b"\r", len(self._before)) :]
        return wanted


def read_head(data: bytes) -> Wanted | None:
    """What *data* asks for, where it is one whole request of that form and nothing after it."""
    if len(data) > _MAX_HEAD:
        return None
    head = _HEAD.fullmatch(data)
    if head is None:
        return None
    hosts = 0
    ends: tuple[int, int] | None = None
    traceparent: bytes | None = None
    for line in _MATTERS.findall(data.lower()):
        if line.startswith(_HOST):
            hosts += 1
        elif line.startswith(_RANGE) and ends is None:
            ends = _range(line[len(_RANGE) :])
            if ends is None:
                return None
        elif line.startswith(_TRACEPARENT) and traceparent is None:
            traceparent = line[len(_TRACEPARENT) :].strip()
        elif line != _KEEP_ALIVE:
            return None
    # One Host in every request (RFC 9112 3.2).
    if ends is None or hosts != 1:
        return None
    return Wanted(head[1], head[2], *ends, traceparent)


def _range(text: bytes) -> tuple[int, int] | None:
    """First and last byte of `first-last`; None for any other form."""
    first, dash, last = text.partition(b"-")
    # isdigit of bytes knows ASCII's digits alone.
    if dash and first.isdigit() and last.isdigit() and len(text) <= 2 * _MAX_DIGITS:
        return int(first), int(last)
    return None


def body_left(data: bytes) -> int:
    """Bytes of body still to come after *data*, which begins with a request; -1: cannot be told.

    Only what is beyond doubt is told: a whole head, and at most one plain Content-Length.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return -1
    lowered = data[: end + 2].lower()
    if any(name in lowered for name in (b"\r\ntransfer-encoding", b"\r\nupgrade", b"\r\nexpect")):
        return -1
    length = 0
    if b"\r\ncontent-length" in lowered:
        told = re.findall(rb"\r\ncontent-length:[ \t]*([0-9]{1,15})[ \t]*\r\n", lowered)
        if len(told) != 1 or lowered.count(b"\r\ncontent-length") != 1:
            return -1
        length = int(told[0])
    left = end + 4 + length - len(data)
    return left if left >= 0 else -1
