"""Times and dates as people read them, always on the theater's own clock."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from amc_clone.instants import rfc3339
from amc_clone.models import Screening
from amc_clone.pages.markup import Markup, tag
from amc_clone.timeline import Phase, standing


def local_time(instant: datetime, time_zone: str) -> Markup:
    """`7:30 PM`, with the instant itself for programs."""
    local = instant.astimezone(ZoneInfo(time_zone))
    return tag("time", f"{local:%I:%M %p}".lstrip("0"), datetime=rfc3339(instant))


def zone_name(instant: datetime, time_zone: str) -> str:
    """`EDT`: the zone's name at *instant*."""
    return instant.astimezone(ZoneInfo(time_zone)).tzname() or time_zone


def long_date(day: date) -> str:
    """`Sunday, March 1`."""
    return f"{day:%A, %B} {day.day}"


def short_date(day: date) -> str:
    """`Sun, Mar 1`."""
    return f"{day:%a, %b} {day.day}"


def day_name(day: date, today: date) -> str:
    """`Today`, `Tomorrow`, `Yesterday`, or the short date."""
    return {-1: "Yesterday", 0: "Today", 1: "Tomorrow"}.get((day - today).days, short_date(day))


def duration(running_time_s: int) -> str:
    """`1 h 18 min`."""
    hours, minutes = divmod(running_time_s // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def how_far(screening: Screening, now: datetime) -> str | None:
    """What to say of a screening that has begun, or will not take place; None before."""
    at = standing(screening, now)
    if at.phase is Phase.UPCOMING:
        return None
    if at.phase is Phase.FEATURE:
        return f"{int(at.offset_s // 60)} min in"
    return {
        Phase.PREVIEWS: "previews are on",
        Phase.ENDED: "over",
        Phase.CANCELLED: "cancelled",
    }[at.phase]
