"""When a screening is looked at again: seldom while it is far off, by the second while it begins.

Pushed events may be lost; a poll heals that. The nearer the film, the dearer a lost one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.models import Screening, ScreeningStatus
from catalog.screenings.screening_rows import SCREENING_COLUMNS, told_of
from catalog.store.schema import screenings

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
# A cinema that does not tell of the start at all: after so long it will not any more, so the
# partner is asked by the minute.
_UNSETTLED = timedelta(minutes=30)
_MINUTE_S = 60.0
# By so much of an interval polls are drawn apart: a whole evening is enriched at once.
_SPREAD = 0.2


@dataclass(frozen=True, slots=True)
class PollIntervals:
    """Seconds between two polls of a screening.

    `far_s` more than a day before previews_start, `day_s` in that day, `hour_s` in the last hour,
    `start_s` from previews_start until movie_start is settled, `running_s` from then on.
    """

    far_s: float = 86_400.0
    day_s: float = 3_600.0
    hour_s: float = 120.0
    start_s: float = 5.0
    running_s: float = 600.0


def next_poll_at(
    screening: Screening, now: datetime, intervals: PollIntervals, fraction: float = 0.0
) -> datetime | None:
    """When *screening*, which was looked at *now*, is looked at again; None when it is over.

    Never later than the moment at which a shorter interval begins. *fraction* (0 to 1, random)
    takes up to a fifth of the interval away.
    """
    if now >= screening.credits_end:
        return None
    begins = screening.previews_start
    tighter = [at for at in (begins - _DAY, begins - _HOUR, begins) if at > now]
    full_s = _interval_s(screening, now, intervals)
    spread_at = now + timedelta(seconds=full_s * (1 - _SPREAD * fraction))
    return min([spread_at, *tighter, screening.credits_end])


def _interval_s(screening: Screening, now: datetime, intervals: PollIntervals) -> float:
    ahead = screening.previews_start - now
    if ahead > _DAY:
        return intervals.far_s
    if ahead > _HOUR:
        return intervals.day_s
    if screening.status is ScreeningStatus.CANCELLED:
        # It may be called on again, and nobody waits for it by the second.
        return max(intervals.hour_s, intervals.running_s)
    if ahead > timedelta(0):
        return intervals.hour_s
    if screening.status is ScreeningStatus.STARTED:
        return intervals.running_s
    if now < screening.movie_start + _UNSETTLED:
        return intervals.start_s
    return max(intervals.start_s, _MINUTE_S)


async def watch_screening(
    connection: AsyncConnection,
    screening_id: int,
    now: datetime,
    intervals: PollIntervals = PollIntervals(),
) -> None:
    """See to it that the screening, just heard of, is polled when it should be, or sooner."""
    query = select(screenings.c.id.label("screening_row"), *SCREENING_COLUMNS).where(
        screenings.c.id == screening_id
    )
    screening = told_of((await connection.execute(query)).one())
    due_at = next_poll_at(screening, now, intervals)
    if due_at is None:
        # A ticket for a film that is over: there is nothing to look for any more.
        return
    await connection.execute(
        update(screenings)
        .where(screenings.c.id == screening_id)
        .where(or_(screenings.c.next_poll_at.is_(None), screenings.c.next_poll_at > due_at))
        .values(next_poll_at=due_at)
    )
