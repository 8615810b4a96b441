"""How the operator's pages say instants, spans and sizes: in the theater's own time. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from catalog.listeners.audience import Audience
from catalog.models import EventKind, ScreeningStatus, StartSource
from catalog.screenings.board import Change, Showing
from catalog.screenings.timeline import Phase
from gateway.ops.markup import Child, Markup, html, tag

_PHASES = {
    Phase.UPCOMING: "not begun",
    Phase.PREVIEWS: "previews",
    Phase.FEATURE: "the film runs",
    Phase.ENDED: "over",
    Phase.CANCELLED: "cancelled",
}
_SOURCES = {
    StartSource.SCHEDULE: "the schedule",
    StartSource.PARTNER_EVENT: "the cinema",
    StartSource.OPERATOR: "the operator",
}
_KINDS = {
    EventKind.SCREENING_CANCELLED: "was cancelled",
    EventKind.SCREENING_MOVED: "was moved to another auditorium",
}


def local(instant: datetime, time_zone: str, *, day: bool = True) -> Markup:
    """An instant on the theater's clock, for people and for machines."""
    there = instant.astimezone(ZoneInfo(time_zone))
    shown = f"{there:%a %H:%M:%S %Z}" if day else f"{there:%H:%M:%S %Z}"
    return tag("time", shown, datetime=utc(instant))


def utc(instant: datetime) -> str:
    """RFC 3339 in UTC."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def span(seconds: float) -> str:
    """A time span as people say it; its sign is the caller's to say."""
    whole = round(abs(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def until(instant: datetime, now: datetime) -> str:
    """When that is, from *now*."""
    away = instant - now
    return f"in {span(away.total_seconds())}" if away > timedelta(0) else "now"


def bound(bound_ms: int) -> str:
    """How far off something may be."""
    return f"± {bound_ms} ms" if bound_ms < 1000 else f"± {span(bound_ms / 1000)}"


def said_by(source: StartSource, bound_ms: int) -> str:
    """By whose word a film starts, and how sure that is."""
    return f"{_SOURCES[source]}, {bound(bound_ms)}"


def phase(value: Phase, status: ScreeningStatus) -> str:
    """Where a screening stands."""
    if value in (Phase.PREVIEWS, Phase.UPCOMING) and status is ScreeningStatus.STARTED:
        return f"{_PHASES[value]}, reported as started"
    return _PHASES[value]


def quality(its: Audience | None) -> str:
    """How well the sound fits, as three or more apps reported; nothing of fewer."""
    if its is None or its.mean_ms is None or its.worst_ms is None:
        return "fewer than 3 reports"
    holes = f", {its.rebuffers} holes" if its.rebuffers else ""
    return (
        f"{its.good / its.reports:.0%} within 40 ms, mean {its.mean_ms:.0f} ms, "
        f"worst {its.worst_ms:.0f} ms{holes}"
    )


def where(showing: Showing) -> str:
    """Theater and auditorium."""
    return f"{showing.theater_name}, auditorium {showing.auditorium_number}"


def change(each: Change) -> Child:
    """What a change says after its time and the screening's name."""
    if each.kind is not None:
        return _KINDS.get(each.kind, each.kind.value)
    if each.movie_start is None or each.source is None:
        return "changed"
    said = (
        "starts ",
        local(each.movie_start, each.time_zone),
        f" by {said_by(each.source, each.bound_ms or 0)}",
    )
    return html((said, f": {each.note}" if each.note else None))
