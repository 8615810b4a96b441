"""Instants as they travel in JSON: RFC 3339 text with an offset, and nothing else."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

# RFC 3339 5.6 date-time. Python reads more than that (week dates, no seconds), and pydantic takes
# numbers and texts of digits as Unix time: both would guess what the partner meant.
_RFC3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


def parse_instant(text: str) -> datetime:
    """Instant of an RFC 3339 date-time, in UTC; digits beyond microseconds are dropped.

    Raises ValueError. A leap second (`:60`) is refused: Python's datetime has none.
    """
    if _RFC3339.fullmatch(text) is None:
        raise ValueError("is not an RFC 3339 date-time with an offset")
    try:
        # fromisoformat wants the capital letters that RFC 3339 5.6 only recommends.
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("lies outside the years 1 to 9999") from error


def _from_json(value: object) -> object:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("instant", "must be a string with an RFC 3339 date-time")
    try:
        return parse_instant(value)
    except ValueError as error:
        raise PydanticCustomError(
            "instant",
            "must be an RFC 3339 date-time with an offset, such as 2026-03-01T19:30:00Z",
        ) from error


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise PydanticCustomError("instant", "lies outside the years 1 to 9999") from error


# A field of a pydantic model: reads RFC 3339 text alone, gives an aware datetime in UTC.
Instant = Annotated[AwareDatetime, BeforeValidator(_from_json), AfterValidator(_in_utc)]
