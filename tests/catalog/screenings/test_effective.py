"""Which start counts, and what a change is to listeners."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from catalog.models import EventKind, Screening, ScreeningStatus, StartSource
from catalog.screenings.effective import (
    OperatorStart,
    Seen,
    effective,
    kinds_of_change,
    start_differs,
)
from tests.catalog.samples import EVENING

TOLD = Screening(
    id=1,
    environment="prod",
    showtime_id="st-1",
    previews_start=EVENING,
    movie_start=EVENING + timedelta(minutes=20),
    credits_end=EVENING + timedelta(minutes=120),
    status=ScreeningStatus.SCHEDULED,
    revision=3,
    movie_start_bound_ms=300_000,
    movie_start_source=StartSource.SCHEDULE,
)
SEEN = Seen(TOLD, "7", "Steamboat Bill, Jr.")


def seen(**changes: Any) -> Seen:
    """What is seen after the screening has changed."""
    return replace(SEEN, screening=replace(TOLD, **changes))


def test_the_partner_s_word_counts_within_its_bound_and_its_clock_s() -> None:
    """Both bounds are counted against us."""
    assert effective(TOLD, 12, None) == replace(TOLD, movie_start_bound_ms=300_012)


def test_the_operator_stands_above_the_partner() -> None:
    """Start, bound and source are hers, and the end moves with the start."""
    start = TOLD.movie_start + timedelta(minutes=6)
    corrected = effective(TOLD, 12, OperatorStart(start, 1000))
    assert corrected.movie_start == start
    assert corrected.credits_end == TOLD.credits_end + timedelta(minutes=6)
    assert corrected.movie_start_bound_ms == 1000
    assert corrected.movie_start_source is StartSource.OPERATOR
    assert corrected.previews_start == TOLD.previews_start


def test_a_film_that_starts_before_its_previews_has_none() -> None:
    """The three instants stay in order."""
    early = effective(TOLD, 0, OperatorStart(EVENING - timedelta(minutes=1), 0))
    assert early.previews_start == early.movie_start < early.credits_end


@pytest.mark.parametrize(
    ("after", "kinds"),
    [
        (seen(revision=4), ()),
        (seen(movie_start=EVENING + timedelta(minutes=26)), (EventKind.SCREENING_CHANGED,)),
        (seen(movie_start_bound_ms=10), (EventKind.SCREENING_CHANGED,)),
        (replace(SEEN, title="Sherlock Jr."), (EventKind.SCREENING_CHANGED,)),
        (replace(SEEN, auditorium_number="9"), (EventKind.SCREENING_MOVED,)),
        (seen(status=ScreeningStatus.STARTED), (EventKind.SCREENING_STARTED,)),
        (seen(status=ScreeningStatus.CANCELLED), (EventKind.SCREENING_CANCELLED,)),
        (
            replace(seen(status=ScreeningStatus.STARTED), auditorium_number="9"),
            (EventKind.SCREENING_STARTED, EventKind.SCREENING_MOVED),
        ),
    ],
)
def test_what_listeners_are_told(after: Seen, kinds: tuple[EventKind, ...]) -> None:
    """Each kind of change by its name, and nothing where they would see no difference."""
    assert kinds_of_change(SEEN, after) == kinds


def test_one_that_takes_place_after_all_is_a_change() -> None:
    """A cancellation that was taken back."""
    cancelled = seen(status=ScreeningStatus.CANCELLED)
    assert kinds_of_change(cancelled, SEEN) == (EventKind.SCREENING_CHANGED,)


def test_one_that_is_started_again_has_started() -> None:
    """After a false start; a correction by Tell's own operator is a change."""
    begun = {"status": ScreeningStatus.STARTED, "movie_start_source": StartSource.PARTNER_EVENT}
    again = seen(**begun, movie_start=EVENING)
    assert kinds_of_change(seen(**begun), again) == (EventKind.SCREENING_STARTED,)
    corrected = {**begun, "movie_start_source": StartSource.OPERATOR, "movie_start": EVENING}
    assert kinds_of_change(seen(**begun), seen(**corrected)) == (EventKind.SCREENING_CHANGED,)


def test_the_history_has_a_line_for_value_bound_or_source() -> None:
    """And none where only something else changed."""
    assert not start_differs(TOLD, replace(TOLD, revision=9, status=ScreeningStatus.CANCELLED))
    assert start_differs(TOLD, replace(TOLD, movie_start_bound_ms=1))
    assert start_differs(TOLD, replace(TOLD, movie_start_source=StartSource.OPERATOR))
    assert start_differs(TOLD, replace(TOLD, movie_start=EVENING))
