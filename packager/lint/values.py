"""Values of tags and attributes, read strictly: None where they are of another form.

Numbers are bounded, so that no stranger's is too long to be counted with. Sections named without a
document are those of RFC 8216bis.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

# decimal-integer (4.2): from 0 to 2^64-1, so at most 20 digits.
_DECIMAL = re.compile(r"[0-9]{1,20}")
_BYTE_RANGE = re.compile(r"([0-9]{1,20})(?:@([0-9]{1,20}))?")
_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,20})?),(.*)")
_SIGNED = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,20})?")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """*size* bytes from *offset*; None where the offset is not written."""

    size: int
    offset: int | None


def read_decimal(value: str | None) -> int | None:
    """A decimal-integer (4.2); None where it is of another form."""
    return int(value) if value is not None and _DECIMAL.fullmatch(value) else None


def read_duration(value: str | None) -> Fraction | None:
    """Duration of an EXTINF, `<seconds>,[title]` (4.4.4.1); None where it is of another form."""
    match = _DURATION.fullmatch(value or "")
    return None if match is None else Fraction(match[1])


def read_byte_range(value: str | None) -> ByteRange | None:
    """`<n>[@<o>]` (4.4.4.2); None where it is of another form."""
    match = _BYTE_RANGE.fullmatch(value or "")
    if match is None:
        return None
    return ByteRange(int(match[1]), None if match[2] is None else int(match[2]))


def read_signed(value: str | None) -> Fraction | None:
    """A signed-decimal-floating-point (4.2); None where it is of another form."""
    return Fraction(value) if value is not None and _SIGNED.fullmatch(value) else None


def read_date_time(value: str | None) -> datetime | None:
    """ISO 8601 with a zone (4.4.4.6); None where it is of another form."""
    try:
        instant = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return None if instant.tzinfo is None else instant
