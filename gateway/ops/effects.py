"""What a correction would do, before it is done. Pure: time is an argument."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from catalog.models import Screening, StartSource
from catalog.screenings.board import Showing
from catalog.screenings.effective import OperatorStart, effective
from gateway.errors import FieldFault, QueryError
from gateway.ops.forms import CorrectionQuery, is_clock_time

# A person presses when she sees the first frame, and says a time to the second at best ...
START_BOUND_MS = 1_000
# ... and "six minutes late" to the minute.
DELAY_BOUND_MS = 60_000
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Effect:
    """From what to what a screening would change; `cleared` is the end of the operator's word."""

    before: Screening
    after: Screening
    cleared: bool

    @property
    def later_s(self) -> float:
        """Seconds by which the film starts later; earlier if negative."""
        return (self.after.movie_start - self.before.movie_start).total_seconds()


def effect_of(showing: Showing, query: CorrectionQuery, now: datetime) -> Effect:
    """What the correction *query* would do; raises QueryError where its field says nothing."""
    before = showing.screening
    if query.action == "clear":
        return Effect(before, showing.by_partner, cleared=True)
    if query.action == "delay":
        start, bound_ms = before.movie_start + timedelta(minutes=query.minutes), DELAY_BOUND_MS
    elif query.action == "now":
        # Whole milliseconds, as the form carries it on.
        start, bound_ms = now.replace(microsecond=now.microsecond // 1000 * 1000), START_BOUND_MS
    else:
        start, bound_ms = clock_time(query.time, showing), START_BOUND_MS
    # The clock's part is in what the partner's word would be already.
    after = effective(showing.by_partner, 0, OperatorStart(start, bound_ms))
    return Effect(before, replace(after, movie_start_source=StartSource.OPERATOR), cleared=False)


def clock_time(text: str, showing: Showing) -> datetime:
    """The instant of a clock time at the theater that is next to the film's start.

    Raises QueryError.
    """
    if not is_clock_time(text):
        raise QueryError([FieldFault("time", "write hours and minutes, such as 19:36 or 19:36:20")])
    start = showing.screening.movie_start
    there = start.astimezone(ZoneInfo(showing.time_zone))
    wanted = datetime.combine(there.date(), time.fromisoformat(text), there.tzinfo)
    around = (wanted - _DAY, wanted, wanted + _DAY)
    return min(around, key=lambda instant: abs(instant - start)).astimezone(start.tzinfo)
