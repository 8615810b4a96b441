"""What only a person can decide is parked, with its name, and never guessed."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import func, select

from catalog.enrichment.enricher import Enrichment
from catalog.models import PurchaseState
from catalog.purchases.intake import Intake
from catalog.purchases.tickets import Tickets
from catalog.store.database import Database
from catalog.store.schema import screenings
from tests.catalog.enrichment.enriching import sell, state
from tests.catalog.samples import (
    EVENING,
    Clock,
    PartnerServer,
    details,
    failing,
    purchase_row,
    settled,
)

IMPOSSIBLE = [
    ({"credits_end": "2026-03-06T19:00:00Z"}, "impossible-times"),
    ({"poster_path": "https://elsewhere.example/x.jpg"}, "poster-path"),
    ({"time_zone": "Mars/Olympus"}, "unknown-time-zone"),
    ({"title": 7}, "malformed"),
    ({"movie_id": "the-general"}, "movie-mismatch"),
    ({"place_id": "roxie"}, "place-mismatch"),
]


@pytest.mark.parametrize(("changes", "code"), IMPOSSIBLE)
async def test_an_answer_that_cannot_be_is_asked_for_again_and_then_parks(
    database: Database,
    clock: Clock,
    intake: Intake,
    enrichment: Enrichment,
    partner: PartnerServer,
    changes: dict[str, Any],
    code: str,
) -> None:
    """A wrong answer is kept with its name and stored nowhere; after an hour a person must look."""
    partner.changes = changes
    sold = await sell(intake)
    await settled(enrichment)
    assert await state(database, sold) == (PurchaseState.ACCEPTED, code)
    assert (await purchase_row(database, sold)).failure_detail
    clock.move(minutes=59)
    await settled(enrichment)
    row = await purchase_row(database, sold)
    assert (row.state, row.failing_since) == (PurchaseState.ACCEPTED, EVENING)
    clock.move(minutes=5)
    await settled(enrichment)
    assert await state(database, sold) == (PurchaseState.PARKED, code)
    asked = len(partner.asked)
    clock.move(hours=9)
    await settled(enrichment)
    assert len(partner.asked) == asked
    async with database.read() as connection:
        assert (await connection.scalar(select(func.count()).select_from(screenings))) == 0


async def test_a_partner_that_mends_its_answer_in_time_needs_nobody(
    database: Database,
    clock: Clock,
    intake: Intake,
    enrichment: Enrichment,
    partner: PartnerServer,
) -> None:
    """An impossible answer that a possible one follows leaves a ticket and no trace."""
    partner.changes = {"credits_end": "2026-03-06T19:00:00Z"}
    sold = await sell(intake)
    await settled(enrichment)
    partner.changes = {}
    clock.move(seconds=10)
    await settled(enrichment)
    row = await purchase_row(database, sold)
    assert (row.state, row.failure_code, row.failing_since) == (PurchaseState.ENRICHED, None, None)


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        ("screening-not-found", "screening-unknown"),
        ("auditorium-not-found", "no-such-auditorium"),
        ("theater-not-found", "no-such-theater"),
        ("movie-not-found", "no-such-movie"),
    ],
)
async def test_404_for_ever_parks_with_its_name(
    database: Database,
    clock: Clock,
    intake: Intake,
    enrichment: Enrichment,
    partner: PartnerServer,
    problem: str,
    code: str,
) -> None:
    """A screening that the partner does not know is asked for during an hour, and then parked."""
    partner.answer = lambda: web.json_response({"code": problem}, status=404)
    sold = await sell(intake)
    await settled(enrichment)
    assert await state(database, sold) == (PurchaseState.ACCEPTED, code)
    clock.move(hours=1)
    await settled(enrichment)
    assert await state(database, sold) == (PurchaseState.PARKED, code)


async def test_an_outage_does_not_use_up_the_patience(
    database: Database,
    clock: Clock,
    intake: Intake,
    enrichment: Enrichment,
    partner: PartnerServer,
) -> None:
    """The hour of 404 begins with the first 404, however long nobody answered before it."""
    partner.answer = failing(503)
    sold = await sell(intake)
    await settled(enrichment)
    clock.move(hours=5)
    partner.answer = failing(404)
    await settled(enrichment)
    assert await state(database, sold) == (PurchaseState.ACCEPTED, "screening-unknown")
    clock.move(minutes=59)
    await settled(enrichment)
    assert (await purchase_row(database, sold)).state is PurchaseState.ACCEPTED
    clock.move(minutes=5)
    await settled(enrichment)
    assert (await purchase_row(database, sold)).state is PurchaseState.PARKED


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"showtime_id": "st-2"}, "showtime-mismatch"), ({"showtime_id": None}, "showtime-missing")],
)
async def test_without_the_right_echo_a_person_decides_at_once(
    database: Database,
    intake: Intake,
    enrichment: Enrichment,
    partner: PartnerServer,
    changes: dict[str, Any],
    code: str,
) -> None:
    """Where the partner does not list what is possible, no guess is made."""
    partner.changes = changes
    sold = await sell(intake)
    await settled(enrichment)
    assert await state(database, sold) == (PurchaseState.PARKED, code)
    assert partner.listed == [
        {
            "movieId": "steamboat",
            "placeId": "grand-lake",
            "auditoriumNumber": "7",
            "soldAt": "2026-03-06T19:15:00+00:00",
        }
    ]


EARLIER = {
    "showtime_id": "st-early",
    "previews_start": "2026-03-06T17:00:00Z",
    "movie_start": "2026-03-06T17:20:00Z",
    "credits_end": "2026-03-06T19:15:00Z",
}


async def test_the_only_possible_showing_is_taken(
    database: Database,
    intake: Intake,
    enrichment: Enrichment,
    partner: PartnerServer,
    tickets: Tickets,
) -> None:
    """Without an echo: one showing was over when the ticket was sold, so it is the other."""
    partner.missing = {"showtime_id"}
    partner.showings = [details(**EARLIER), details(showtime_id="st-renamed")]
    sold = await sell(intake)
    await settled(enrichment)
    assert await state(database, sold) == (PurchaseState.ENRICHED, None)
    screening = (await tickets.by_correlation(sold)).screening
    assert screening is not None
    assert screening.showtime_id == "st-renamed"


async def test_tickets_of_one_question_are_each_judged_by_their_own_sale(
    database: Database,
    intake: Intake,
    enrichment: Enrichment,
    partner: PartnerServer,
) -> None:
    """A ticket sold before the earlier showing was over may be for either: it alone parks."""
    partner.changes = {"showtime_id": "st-other"}
    partner.showings = [details(**EARLIER), details(showtime_id="st-renamed")]
    late = await sell(intake, 1)
    early = await sell(intake, 2, purchased_at="2026-03-06T19:14:59.999999Z")
    await settled(enrichment)
    assert await state(database, late) == (PurchaseState.ENRICHED, None)
    assert await state(database, early) == (PurchaseState.PARKED, "showtime-mismatch")
    assert "2 showings are possible" in (await purchase_row(database, early)).failure_detail


async def test_a_right_answer_sets_parked_ones_of_the_same_showtime_free(
    database: Database,
    clock: Clock,
    intake: Intake,
    enrichment: Enrichment,
    partner: PartnerServer,
) -> None:
    """Once the partner names the showtime, whoever was parked over that question is a ticket."""
    partner.missing = {"showtime_id"}
    first = await sell(intake, 1)
    await settled(enrichment)
    assert (await purchase_row(database, first)).state is PurchaseState.PARKED
    partner.missing = set()
    second = await sell(intake, 2)
    await settled(enrichment)
    assert await state(database, first) == (PurchaseState.ENRICHED, None)
    assert await state(database, second) == (PurchaseState.ENRICHED, None)


@pytest.mark.parametrize("changes", [{"movie_id": "the-general"}, {"place_id": "roxie"}])
async def test_a_showtime_that_belongs_elsewhere_parks(
    database: Database,
    intake: Intake,
    enrichment: Enrichment,
    tickets: Tickets,
    changes: dict[str, str],
) -> None:
    """One showtime_id with two movies or theaters is a fault: the later purchase waits."""
    first = await sell(intake, 1)
    await settled(enrichment)
    second = await sell(intake, 2, **changes)
    await settled(enrichment)
    assert await state(database, second) == (PurchaseState.PARKED, "showtime-reused")
    assert (await tickets.by_correlation(first)).screening is not None
