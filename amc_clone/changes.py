"""What an operator may do to a screening, and what it is afterwards. Pure: time is an argument."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from amc_clone.errors import ScreeningCancelledError, ScreeningEndedError, ScreeningStartedError
from amc_clone.models import STARTED_BOUND_MS, Screening, ScreeningStatus


def started(screening: Screening, now: datetime, bound_ms: int = STARTED_BOUND_MS) -> Screening:
    """The film begins *now*, stamped within *bound_ms*; again, if it had begun before.

    Raises ScreeningCancelledError, ScreeningEndedError.
    """
    _require_on(screening, now)
    return replace(
        screening,
        # A film that begins before its previews has none.
        previews_start=min(screening.previews_start, now),
        movie_start=now,
        credits_end=screening.credits_end + (now - screening.movie_start),
        status=ScreeningStatus.STARTED,
        movie_start_bound_ms=bound_ms,
        revision=screening.revision + 1,
    )


def delayed(screening: Screening, by: timedelta, now: datetime) -> Screening:
    """All that has not begun comes later by *by*; the projectionist may be minutes off that too.

    Raises ScreeningCancelledError, ScreeningEndedError, ScreeningStartedError.
    """
    _require_on(screening, now)
    if screening.status is ScreeningStatus.STARTED:
        raise ScreeningStartedError(screening.showtime_id)
    previews = screening.previews_start
    return replace(
        screening,
        previews_start=previews + by if previews > now else previews,
        movie_start=screening.movie_start + by,
        credits_end=screening.credits_end + by,
        revision=screening.revision + 1,
    )


def cancelled(screening: Screening, now: datetime) -> Screening:
    """It does not take place, or not to its end.

    Raises ScreeningCancelledError where it was cancelled before, ScreeningEndedError.
    """
    _require_on(screening, now)
    return replace(screening, status=ScreeningStatus.CANCELLED, revision=screening.revision + 1)


def moved(screening: Screening, auditorium_number: str, now: datetime) -> Screening:
    """It takes place in another auditorium. Raises ScreeningCancelledError, ScreeningEndedError."""
    _require_on(screening, now)
    return replace(screening, auditorium_number=auditorium_number, revision=screening.revision + 1)


def _require_on(screening: Screening, now: datetime) -> None:
    if screening.status is ScreeningStatus.CANCELLED:
        raise ScreeningCancelledError(screening.showtime_id)
    if now >= screening.credits_end:
        raise ScreeningEndedError(screening.showtime_id, screening.credits_end)
