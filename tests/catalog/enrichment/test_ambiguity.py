from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from catalog.enrichment.ambiguity import choose
from catalog.errors import AmbiguousShowingError, ShowtimeEchoError
from catalog.partner.details import ScreeningDetails
from tests.catalog.samples import EVENING, details

ECHO = ShowtimeEchoError("showtime-missing", "the answer does not name its showtime_id")


def showing(showtime_id: str | None, ends_in_min: float, **changes: Any) -> ScreeningDetails:
    """A showing whose credits end so many minutes after EVENING."""
    credits_end = EVENING + timedelta(minutes=ends_in_min)
    times = {
        "previews_start": (credits_end - timedelta(minutes=91)).isoformat(),
        "movie_start": (credits_end - timedelta(minutes=71)).isoformat(),
        "credits_end": credits_end.isoformat(),
    }
    return ScreeningDetails.model_validate_json(
        ScreeningDetails.model_validate(
            details(**times, showtime_id=showtime_id, **changes)
        ).model_dump_json()
    )


OVER, RUNNING, TOMORROW = showing("a", -1), showing("b", 60), showing("c", 1500)


def chosen(*showings: ScreeningDetails, sold_at: datetime = EVENING, wanted: str = "x") -> Any:
    """The choice for a ticket for *wanted*."""
    return choose(showings, wanted, sold_at, ECHO)


def test_the_only_one_that_was_not_over_is_taken() -> None:
    """A ticket sold now cannot be for a film whose credits ended a minute ago."""
    assert chosen(OVER, RUNNING) is RUNNING


@pytest.mark.parametrize("showings", [(RUNNING, TOMORROW), (OVER,), ()])
def test_several_or_none_are_never_guessed(showings: tuple[ScreeningDetails, ...]) -> None:
    """Two possible showings, or none, are for a person; the reason is the echo's."""
    with pytest.raises(AmbiguousShowingError) as refused:
        chosen(*showings)
    assert refused.value.reason == "showtime-missing"


def test_the_last_instant_of_the_credits_is_over() -> None:
    """At credits_end a showing is over, a microsecond before it is not."""
    assert chosen(RUNNING, TOMORROW, sold_at=RUNNING.credits_end) is TOMORROW
    with pytest.raises(AmbiguousShowingError):
        chosen(RUNNING, TOMORROW, sold_at=RUNNING.credits_end - timedelta(microseconds=1))


def test_one_that_is_named_as_the_ticket_is_no_guess() -> None:
    """Among many the one with our showtime_id is taken, even if it was over at the sale."""
    assert chosen(OVER, RUNNING, TOMORROW, wanted="c") is TOMORROW
    assert chosen(OVER, RUNNING, TOMORROW, wanted="a") is OVER


def test_a_name_that_is_there_twice_is_no_name() -> None:
    """Two showings with our showtime_id are a fault of the partner's, for a person."""
    with pytest.raises(AmbiguousShowingError):
        chosen(showing("c", 60), TOMORROW, wanted="c")


def test_a_cancelled_one_is_possible() -> None:
    """It may have been cancelled after the sale, so it keeps another from being guessed."""
    with pytest.raises(AmbiguousShowingError):
        chosen(RUNNING, showing("d", 70, status="cancelled"))
