from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from catalog.enrichment.enricher import Enrichment
from catalog.errors import TicketNotFoundError
from catalog.listeners.claims import Claims
from catalog.models import Movie, PurchaseState, ScreeningStatus, StartSource, Theater
from catalog.purchases.intake import Intake
from catalog.purchases.tickets import Tickets
from catalog.store.database import Database
from tests.catalog.samples import PartnerServer, accept, notice, settled


async def test_a_ticket_before_enrichment_has_what_was_sent(
    intake: Intake, tickets: Tickets
) -> None:
    """Until the partner has answered, a ticket is the six fields."""
    bought = await accept(intake, "prod", notice(), "msg-1")
    ticket = await tickets.by_correlation(bought)
    assert ticket.state is PurchaseState.ACCEPTED
    assert (ticket.environment, ticket.purchase_id, ticket.movie_id, ticket.place_id) == (
        "prod",
        "p-1",
        "steamboat",
        "grand-lake",
    )
    assert (ticket.auditorium_number, ticket.showtime_id) == ("7", "st-1")
    assert ticket.purchased_at == datetime(2026, 3, 6, 19, 15, tzinfo=UTC)
    assert (ticket.movie, ticket.theater, ticket.screening) == (None, None, None)


async def test_an_enriched_ticket_has_all_that_the_app_shows(
    intake: Intake, enrichment: Enrichment, tickets: Tickets
) -> None:
    """Movie, theater and screening come with exact instants, in UTC."""
    bought = await accept(intake, "prod", notice(), "msg-1")
    await settled(enrichment)
    ticket = await tickets.by_correlation(bought)
    assert ticket.state is PurchaseState.ENRICHED
    assert ticket.movie == Movie(
        "steamboat", "Steamboat Bill, Jr.", "/posters/steamboat.jpg", "steamboat/en"
    )
    assert ticket.theater == Theater("grand-lake", "Grand Lake", "America/Los_Angeles")
    screening = ticket.screening
    assert screening is not None
    assert screening.movie_start == datetime(2026, 3, 6, 19, 50, tzinfo=UTC)
    assert screening.movie_start.tzinfo is UTC
    assert (screening.status, screening.revision) == (ScreeningStatus.SCHEDULED, 1)
    assert screening.movie_start_source is StartSource.SCHEDULE
    # The partner's clock was not measured here, so that it may be five minutes off.
    assert screening.movie_start_bound_ms == 600_000 + 300_000
    assert await tickets.screening(screening.id) == screening


async def test_a_moved_screening_shows_its_auditorium(
    intake: Intake, enrichment: Enrichment, tickets: Tickets, partner: PartnerServer
) -> None:
    """The ticket names the auditorium that the screening is in now, not the one that was sold."""
    partner.changes = {"auditorium_number": "12"}
    bought = await accept(intake, "prod", notice(), "msg-1")
    await settled(enrichment)
    assert (await tickets.by_correlation(bought)).auditorium_number == "12"


async def test_tickets_come_in_the_order_of_the_films(
    intake: Intake,
    enrichment: Enrichment,
    tickets: Tickets,
    claims: Claims,
    partner: PartnerServer,
) -> None:
    """The next film is first; a ticket that is not enriched comes last."""
    bought = []
    listener = None
    for showtime, hour in (("st-late", 23), ("st-early", 17), ("st-mid", 20)):
        partner.changes = {
            "previews_start": f"2026-03-06T{hour}:30:00Z",
            "movie_start": f"2026-03-06T{hour}:40:00Z",
            "credits_end": f"2026-03-06T{hour}:59:00Z",
        }
        sold = notice(purchase_id=showtime, showtime_id=showtime)
        bought.append(await accept(intake, "prod", sold))
        await settled(enrichment)
        listener = await claims.claim(bought[-1], "device-1", listener)
    assert listener is not None
    waiting = await accept(intake, "nowhere", notice(purchase_id="waiting"))
    await claims.claim(waiting, "device-1", listener)
    # A second device of the same listener must not double the ticket.
    await claims.claim(waiting, "device-2", listener)
    listed = [ticket.purchase_id for ticket in await tickets.of_listener(listener)]
    assert listed == ["st-early", "st-mid", "st-late", "waiting"]


async def test_nobody_sees_a_ticket_of_another(
    intake: Intake, claims: Claims, tickets: Tickets
) -> None:
    """A ticket of another listener and one that does not exist are told alike."""
    bought = await accept(intake, "prod", notice(), "msg-1")
    await claims.claim(bought, "device-1", None)
    with pytest.raises(TicketNotFoundError):
        await tickets.get("a" * 26, bought)
    with pytest.raises(TicketNotFoundError):
        await tickets.get("a" * 26, "b" * 20)
    with pytest.raises(TicketNotFoundError):
        await tickets.by_correlation("b" * 20)
    assert await tickets.of_listener("a" * 26) == []
    assert await tickets.screening(1) is None


async def test_every_look_up_of_a_request_uses_an_index(database: Database) -> None:
    """A ticket, and a listener's tickets, are found without reading a whole table."""
    async with database.read() as connection:
        for statement in (
            "SELECT * FROM purchases WHERE correlation_id = 'a'",
            "SELECT * FROM claims WHERE listener_id = 'a'",
            "SELECT * FROM purchases WHERE environment = 'a' AND purchase_id IN ('b', 'c')",
            "SELECT * FROM purchases WHERE state = 'accepted' AND next_attempt_at < 1",
        ):
            if connection.dialect.name == "sqlite":
                plan = (await connection.execute(text(f"EXPLAIN QUERY PLAN {statement}"))).all()
                assert "USING INDEX" in str(plan), statement
            else:
                # The tables are empty, so MariaDB would need none: what it could use counts.
                found = (await connection.execute(text(f"EXPLAIN {statement}"))).one()
                assert found.possible_keys or "const" in found.Extra, statement
