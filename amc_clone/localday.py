"""A cinema's day: from 04:00 to 04:00 on the theater's own clock. Pure: time is an argument."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# The late show that begins at 00:15 belongs to the evening before.
DAY_BEGINS = time(4, 0)


def cinema_day(instant: datetime, time_zone: str) -> date:
    """The cinema's day that *instant* belongs to in a theater of *time_zone* (an IANA name)."""
    local = instant.astimezone(ZoneInfo(time_zone))
    return local.date() if local.time() >= DAY_BEGINS else local.date() - timedelta(days=1)


def day_bounds(day: date, time_zone: str) -> tuple[datetime, datetime]:
    """First instant of the cinema's *day* and of the next, in UTC.

    They lie 23, 24 or 25 hours apart: the clock changes at night.
    """
    return (
        local_instant(day, DAY_BEGINS, time_zone),
        local_instant(day + timedelta(days=1), DAY_BEGINS, time_zone),
    )


def local_instant(day: date, at: time, time_zone: str) -> datetime:
    """The instant, in UTC, at which the theater's clock shows *at* on the calendar date *day*.

    A time that the clock shows twice is the first of the two; one that it skips is read as if
    the clock had not been changed yet (PEP 495, fold=0).
    """
    return datetime.combine(day, at, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)
