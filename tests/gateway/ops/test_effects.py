"""What a correction would do, before it is done."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from catalog.models import Screening, ScreeningStatus, StartSource
from catalog.screenings.board import Showing
from gateway.errors import QueryError
from gateway.ops.effects import effect_of
from gateway.ops.forms import CorrectionQuery

# Half past seven in the evening in New York.
START = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def showing(**changes: object) -> Showing:
    """A film that starts by the schedule, after twenty minutes of previews."""
    screening = Screening(
        id=1,
        environment="local",
        showtime_id="st-1",
        previews_start=START - 20 * MINUTE,
        movie_start=START,
        credits_end=START + 90 * MINUTE,
        status=ScreeningStatus.SCHEDULED,
        revision=1,
        movie_start_bound_ms=300_000,
        movie_start_source=StartSource.SCHEDULE,
    )
    return Showing(
        replace(screening, **changes),  # type: ignore[arg-type]  # names of its own fields
        screening,
        "one-week",
        "One Week",
        None,
        "hudson-street-12",
        "Hudson Street 12",
        "America/New_York",
        "7",
        4,
    )


def wish(action: str, **fields: object) -> CorrectionQuery:
    """What a button asks."""
    return CorrectionQuery.model_validate({"action": action, **fields})


def test_it_starts_now() -> None:
    """To the millisecond, within a second; the credits move along."""
    now = START + 6 * MINUTE + timedelta(microseconds=1_234)
    effect = effect_of(showing(), wish("now"), now)
    assert effect.after.movie_start == START + 6 * MINUTE + timedelta(milliseconds=1)
    assert effect.after.credits_end - effect.after.movie_start == 90 * MINUTE
    assert effect.after.movie_start_bound_ms == 1000
    assert effect.after.movie_start_source is StartSource.OPERATOR
    assert effect.later_s == pytest.approx(360.001)


@pytest.mark.parametrize(
    ("text", "minutes"), [("19:36", 6), ("19:30:00", 0), ("19:29", -1), ("00:10", 280)]
)
def test_a_clock_time_is_the_theater_s(text: str, minutes: float) -> None:
    """And on the day that is next to the start: past midnight is tomorrow."""
    effect = effect_of(showing(), wish("at", time=text), START)
    assert effect.later_s == minutes * 60


@pytest.mark.parametrize("text", ["", "19", "24:00", "7:30", "19:60", "19:30:", "☂☂:☂☂"])
def test_what_is_no_clock_time_is_refused(text: str) -> None:
    """With what to write."""
    with pytest.raises(QueryError, match="such as 19:36"):
        effect_of(showing(), wish("at", time=text), START)


def test_later_counts_from_what_stands_now() -> None:
    """Six minutes more than the operator said before, to the minute."""
    stands = showing(movie_start=START + 10 * MINUTE, movie_start_source=StartSource.OPERATOR)
    effect = effect_of(stands, wish("delay", minutes=6), START)
    assert effect.after.movie_start == START + 16 * MINUTE
    assert effect.after.movie_start_bound_ms == 60_000
    assert effect.later_s == 360


def test_the_cinema_s_word_counts_again() -> None:
    """From the operator's start back to the partner's."""
    stands = showing(movie_start=START + 10 * MINUTE, movie_start_source=StartSource.OPERATOR)
    effect = effect_of(stands, wish("clear"), START)
    assert effect.cleared
    assert effect.after == stands.by_partner
    assert effect.later_s == -600
