"""What an operator may do to a screening, and what it is afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from amc_clone.changes import cancelled, delayed, moved, started
from amc_clone.errors import ScreeningCancelledError, ScreeningEndedError, ScreeningStartedError
from amc_clone.models import Movie, Screening, ScreeningStatus, Theater
from tests.amc_clone.cinema import NOW

MINUTE = timedelta(minutes=1)
PLANNED = Screening(
    id=1,
    showtime_id="st-1",
    movie=Movie("one-week", "One Week", 1920, 1500, "/posters/one-week.svg", "one-week/en"),
    theater=Theater("hudson-street-12", "Hudson Street 12", "New York", "America/New_York"),
    auditorium_number="7",
    previews_start=NOW - 14 * MINUTE,
    movie_start=NOW + 6 * MINUTE,
    credits_end=NOW + 31 * MINUTE,
    status=ScreeningStatus.SCHEDULED,
    revision=4,
    movie_start_bound_ms=300_000,
)


def test_started_is_stamped_now_and_ends_as_much_earlier() -> None:
    """The bound is what the projection system knows."""
    begun = started(PLANNED, NOW)
    assert begun == replace(
        PLANNED,
        movie_start=NOW,
        credits_end=NOW + 25 * MINUTE,
        status=ScreeningStatus.STARTED,
        movie_start_bound_ms=10,
        revision=5,
    )
    again = started(begun, NOW + MINUTE)
    assert (again.movie_start, again.revision) == (NOW + MINUTE, 6)


def test_a_film_that_starts_before_its_previews_has_none() -> None:
    """The three instants stay in order."""
    early = started(PLANNED, PLANNED.previews_start - MINUTE)
    assert early.previews_start == early.movie_start


def test_a_delay_moves_what_has_not_begun() -> None:
    """Previews that run are not put off any more."""
    late = delayed(PLANNED, 6 * MINUTE, NOW)
    assert late.previews_start == PLANNED.previews_start
    assert late.movie_start == PLANNED.movie_start + 6 * MINUTE
    assert late.credits_end == PLANNED.credits_end + 6 * MINUTE
    before = delayed(PLANNED, 6 * MINUTE, PLANNED.previews_start - MINUTE)
    assert before.previews_start == PLANNED.previews_start + 6 * MINUTE
    assert (late.revision, before.revision) == (5, 5)


def test_moved_and_cancelled() -> None:
    """Each is one change: the revision grows by one."""
    assert moved(PLANNED, "9", NOW) == replace(PLANNED, auditorium_number="9", revision=5)
    assert cancelled(PLANNED, NOW) == replace(PLANNED, status=ScreeningStatus.CANCELLED, revision=5)


def test_what_cannot_be_any_more_is_refused() -> None:
    """A cancelled one, one that is over, and a delay of one that runs."""
    gone = cancelled(PLANNED, NOW)
    with pytest.raises(ScreeningCancelledError):
        started(gone, NOW)
    with pytest.raises(ScreeningCancelledError):
        cancelled(gone, NOW)
    with pytest.raises(ScreeningEndedError):
        moved(PLANNED, "9", PLANNED.credits_end)
    with pytest.raises(ScreeningStartedError):
        delayed(started(PLANNED, NOW), MINUTE, NOW)
