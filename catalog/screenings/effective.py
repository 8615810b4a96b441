"""Which start of a film counts, and what a change of a screening is to its listeners. Pure.

Tell's own operator stands above the partner until she clears her word; the partner's word counts
within its own bound and that of its clock (catalog/partner/clock.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from catalog.models import EventKind, Screening, ScreeningStatus, StartSource


@dataclass(frozen=True, slots=True)
class OperatorStart:
    """What Tell's own operator said: `movie_start`, within `bound_ms`."""

    movie_start: datetime
    bound_ms: int


def effective(told: Screening, clock_bound_ms: int, operator: OperatorStart | None) -> Screening:
    """The screening that tickets and playlists go by.

    *told* is the partner's word on Tell's clock, which is right within *clock_bound_ms*. With an
    *operator* the film starts when she says, and ends as much later or earlier.
    """
    if operator is None:
        return replace(told, movie_start_bound_ms=told.movie_start_bound_ms + clock_bound_ms)
    return replace(
        told,
        # A film that starts before its previews has none.
        previews_start=min(told.previews_start, operator.movie_start),
        movie_start=operator.movie_start,
        credits_end=told.credits_end + (operator.movie_start - told.movie_start),
        movie_start_bound_ms=operator.bound_ms,
        movie_start_source=StartSource.OPERATOR,
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """What a listener sees of a screening."""

    screening: Screening
    auditorium_number: str
    title: str


def kinds_of_change(before: Seen, after: Seen) -> tuple[EventKind, ...]:
    """What to tell listeners; nothing where they would see no difference."""
    old, new = before.screening, after.screening
    kinds: list[EventKind] = []
    if new.status is ScreeningStatus.CANCELLED and old.status is not new.status:
        kinds.append(EventKind.SCREENING_CANCELLED)
    if new.status is ScreeningStatus.STARTED and (
        old.status is not new.status
        # Started again, after a false start.
        or _stamped(old, new)
    ):
        kinds.append(EventKind.SCREENING_STARTED)
    if before.auditorium_number != after.auditorium_number:
        kinds.append(EventKind.SCREENING_MOVED)
    if kinds or replace(before, screening=_visible(old)) == replace(after, screening=_visible(new)):
        return tuple(kinds)
    return (EventKind.SCREENING_CHANGED,)


def start_differs(before: Screening, after: Screening) -> bool:
    """Whether value, bound or source of movie_start changed: a line for its history."""
    return (
        before.movie_start != after.movie_start
        or before.movie_start_bound_ms != after.movie_start_bound_ms
        or before.movie_start_source is not after.movie_start_source
    )


def _stamped(old: Screening, new: Screening) -> bool:
    """Whether the partner stamped another start."""
    return (
        new.movie_start_source is StartSource.PARTNER_EVENT and new.movie_start != old.movie_start
    )


def _visible(screening: Screening) -> Screening:
    # The revision is between the partner and us.
    return replace(screening, revision=0)
