"""Which ticket is meant, and whether it opens anything: pure rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from catalog.models import (
    PurchaseState,
    Screening,
    ScreeningStatus,
    StartSource,
    Ticket,
)
from gateway.errors import (
    NotEnrichedError,
    NoTicketError,
    ScreeningCancelledError,
    ScreeningEndedError,
    TicketParkedError,
)
from gateway.grants import choose_ticket, open_screening

NOW = datetime(2027, 3, 5, 20, 0, tzinfo=UTC)
MARGIN = timedelta(minutes=30)
HOUR = timedelta(hours=1)


def screening(
    starts_in: timedelta, status: ScreeningStatus = ScreeningStatus.SCHEDULED
) -> Screening:
    """A film of one hour after 20 minutes of previews."""
    start = NOW + starts_in
    return Screening(
        id=1,
        environment="local",
        showtime_id="s",
        previews_start=start - timedelta(minutes=20),
        movie_start=start,
        credits_end=start + HOUR,
        status=status,
        revision=1,
        movie_start_bound_ms=0,
        movie_start_source=StartSource.SCHEDULE,
    )


def ticket(name: str, shown: Screening | None, movie_id: str = "film") -> Ticket:
    """A ticket for *shown*; without one it is not yet enriched."""
    return Ticket(
        correlation_id=name,
        environment="local",
        purchase_id=name,
        state=PurchaseState.ACCEPTED if shown is None else PurchaseState.ENRICHED,
        movie_id=movie_id,
        place_id="p",
        auditorium_number="1",
        showtime_id="s",
        purchased_at=NOW,
        screening=shown,
    )


RUNNING = ticket("running", screening(-HOUR / 2))
IN_PREVIEWS = ticket("previews", screening(timedelta(minutes=10)))
NEXT = ticket("next", screening(3 * HOUR))
LATER = ticket("later", screening(30 * HOUR))
JUST_ENDED = ticket("just ended", screening(-HOUR - MARGIN / 2))
ACCEPTED = ticket("accepted", None)
ENDED = ticket("ended", screening(-5 * HOUR))
CANCELLED = ticket("cancelled", screening(-HOUR / 2, ScreeningStatus.CANCELLED))
GIVEN_BACK = replace(ticket("given back", screening(-HOUR / 2)), state=PurchaseState.CANCELLED)
IN_ORDER = [RUNNING, NEXT, LATER, JUST_ENDED, ACCEPTED, ENDED, CANCELLED]


@pytest.mark.parametrize("first", range(len(IN_ORDER)))
def test_the_running_screening_comes_first_then_the_next(first: int) -> None:
    """Of any choice the one that opens most is taken, whatever the order of the tickets."""
    rest = IN_ORDER[first:]
    assert choose_ticket(rest, "film", NOW, MARGIN) is rest[0]
    assert choose_ticket(rest[::-1], "film", NOW, MARGIN) is rest[0]


def test_of_two_that_run_the_nearest_start_counts() -> None:
    """Previews count as running."""
    assert choose_ticket([RUNNING, IN_PREVIEWS], "film", NOW, MARGIN) is IN_PREVIEWS


def test_tickets_for_other_movies_do_not_count() -> None:
    """No ticket for the movie is an error, whatever else she holds."""
    other = ticket("other", screening(HOUR), movie_id="another")
    with pytest.raises(NoTicketError):
        choose_ticket([other], "film", NOW, MARGIN)
    assert choose_ticket([other, LATER], "film", NOW, MARGIN) is LATER


@pytest.mark.parametrize("open_ticket", [RUNNING, IN_PREVIEWS, NEXT, LATER, JUST_ENDED])
def test_a_ticket_opens_from_the_claim_to_the_margin(open_ticket: Ticket) -> None:
    """Long before the film as well: downloads are open."""
    assert open_screening(open_ticket, NOW, MARGIN) is open_ticket.screening


@pytest.mark.parametrize(
    ("shut", "error"),
    [
        (ACCEPTED, NotEnrichedError),
        (ENDED, ScreeningEndedError),
        (CANCELLED, ScreeningCancelledError),
        (GIVEN_BACK, ScreeningCancelledError),
        (replace(ACCEPTED, state=PurchaseState.PARKED), TicketParkedError),
        (replace(ACCEPTED, state=PurchaseState.CANCELLED), ScreeningCancelledError),
    ],
)
def test_a_ticket_that_opens_nothing_says_why(shut: Ticket, error: type[Exception]) -> None:
    """Each with its own error."""
    with pytest.raises(error):
        open_screening(shut, NOW, MARGIN)


def test_the_end_is_the_first_instant_that_is_shut() -> None:
    """credits_end plus the margin, to the microsecond."""
    ends = RUNNING.screening.credits_end + MARGIN if RUNNING.screening else NOW
    last = ends - timedelta(microseconds=1)
    assert open_screening(RUNNING, last, MARGIN) is RUNNING.screening
    with pytest.raises(ScreeningEndedError):
        open_screening(RUNNING, ends, MARGIN)
