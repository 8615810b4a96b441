"""Conditions and byte ranges of one immutable file (RFC 9110 13 and 14). Pure.

The ETag is the content's digest, so it is strong: equal tags mean equal bytes. There is no
Last-Modified, since a file never changes, so conditions with a date are never met.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from multidict import MultiMapping

from gateway.errors import PreconditionFailedError, RangeUnsatisfiableError

# The unit's case does not matter (RFC 9110 14.1).
_RANGES = re.compile(r"(?i:bytes)=(.*)", re.DOTALL)
# int-range = first-pos "-" [ last-pos ], suffix-range = "-" suffix-length (RFC 9110 14.1.1).
_RANGE = re.compile(r"[ \t]*([0-9]*)-([0-9]*)[ \t]*")
_ENTITY_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
# No file has 10^19 bytes; longer numbers are not worth reading.
_MAX_DIGITS = 19
_READ = ("If-Match", "If-None-Match", "If-Range", "Range")


@dataclass(frozen=True, slots=True)
class Selection:
    """What to send: *size* bytes from *start*, as 200 (whole), 206 (partial) or 304 (nothing)."""

    status: int
    start: int
    size: int


def joined(headers: MultiMapping[str]) -> dict[str, str]:
    """Those that are read here; several lines of one are one, with commas (RFC 9110 5.3).

    What may stand once alone, and does not, is thereby malformed, and ignored.
    """
    return {name: ", ".join(headers.getall(name)) for name in _READ if name in headers}


def select_bytes(method: str, headers: Mapping[str, str], etag: str, size_bytes: int) -> Selection:
    """What of a file with *size_bytes* and the strong *etag* (without quotes) answers a request.

    Evaluated in the order of RFC 9110 13.2.2. Raises PreconditionFailedError (412) and
    RangeUnsatisfiableError (416).
    """
    if_match = headers.get("If-Match")
    if if_match is not None and not _matches(if_match, etag, strong=True):
        raise PreconditionFailedError
    if_none_match = headers.get("If-None-Match")
    if if_none_match is not None and _matches(if_none_match, etag, strong=False):
        return Selection(304, 0, 0)
    whole = Selection(200, 0, size_bytes)
    wanted = headers.get("Range")
    # Range means something for GET alone (RFC 9110 14.2).
    if method != "GET" or wanted is None:
        return whole
    if_range = headers.get("If-Range")
    if if_range is not None and not _matches_one(if_range, etag):
        # Another version was begun: send this one from its beginning (RFC 9110 13.1.5).
        return whole
    return _select(wanted, size_bytes) or whole


def _select(header: str, size_bytes: int) -> Selection | None:
    """First satisfiable range; None where the header is to be ignored as malformed (14.2).

    Of several ranges only one is sent. A 206 describes itself, and a server may send a part of
    what was asked (RFC 9110 15.3.7): a client that wants the rest asks for it, and nobody can make
    us repeat a file in many small or overlapping pieces (RFC 9110 17.15).
    """
    match = _RANGES.fullmatch(header.strip())
    if match is None:
        return None
    selected: Selection | None = None
    seen = False
    for text in match[1].split(","):
        if not text.strip():
            continue
        part = _RANGE.fullmatch(text)
        if part is None or not (part[1] or part[2]):
            return None
        seen = True
        first, last = _number(part[1]), _number(part[2])
        if first is not None and last is not None and last < first:
            return None
        if selected is None:
            selected = _resolve(first, last, size_bytes)
    if not seen:
        return None
    if selected is None:
        raise RangeUnsatisfiableError(size_bytes)
    return selected


def _resolve(first: int | None, last: int | None, size_bytes: int) -> Selection | None:
    if first is None:
        suffix = min(last or 0, size_bytes)
        return Selection(206, size_bytes - suffix, suffix) if suffix else None
    if first >= size_bytes:
        return None
    end = size_bytes if last is None else min(last + 1, size_bytes)
    return Selection(206, first, end - first)


def _number(digits: str) -> int | None:
    if not digits:
        return None
    significant = digits.lstrip("0")
    return int(significant or "0") if len(significant) <= _MAX_DIGITS else int("9" * _MAX_DIGITS)


def _matches(header: str, etag: str, *, strong: bool) -> bool:
    """Whether a list of entity tags holds ours; a weak one never equals strongly (8.8.3.2)."""
    if header.strip() == "*":
        return True
    return any(tag == etag and not (strong and weak) for weak, tag in _ENTITY_TAG.findall(header))


def _matches_one(header: str, etag: str) -> bool:
    # If-Range holds one tag, compared strongly, or a date, which we never gave (RFC 9110 13.1.5).
    match = _ENTITY_TAG.fullmatch(header.strip())
    return match is not None and not match[1] and match[2] == etag
