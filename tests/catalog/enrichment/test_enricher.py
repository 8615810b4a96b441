"""An accepted purchase becomes a ticket: who is asked, how often, and what is kept."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from sqlalchemy import func, select, text
from structlog.testing import capture_logs

from catalog.enrichment.enricher import Enrichment
from catalog.models import PurchaseState
from catalog.partner.client import PartnerClient
from catalog.partner.details import Question, ScreeningDetails
from catalog.purchases.intake import Intake
from catalog.purchases.tickets import Tickets
from catalog.store.database import Database
from catalog.store.schema import movies, screenings, theaters
from tests.catalog.enrichment.enriching import sell, state, worker
from tests.catalog.samples import (
    EVENING,
    Clock,
    PartnerServer,
    accept,
    failing,
    notice,
    purchase_row,
    settled,
)


async def test_a_purchase_becomes_a_ticket(
    database: Database, clock: Clock, client: PartnerClient
) -> None:
    """An accepted purchase is looked up, linked, and told of; a kick is all that it takes."""
    told: asyncio.Queue[str] = asyncio.Queue()
    enrichment = worker(database, clock, {"prod": client}, on_enriched=told.put_nowait)
    await enrichment.start()
    intake = Intake(database, clock, commit_rows=50, queue_limit=10, on_accepted=enrichment.kick)
    await intake.start()
    correlation_id = await sell(intake)
    async with asyncio.timeout(20):
        assert await told.get() == correlation_id
    row = await purchase_row(database, correlation_id)
    assert row.state is PurchaseState.ENRICHED
    assert row.enriched_at == EVENING
    assert row.screening_id is not None
    assert row.theater_id is not None
    await intake.stop()
    await enrichment.stop()


async def test_equal_look_ups_share_one_request(
    database: Database, intake: Intake, enrichment: Enrichment, partner: PartnerServer
) -> None:
    """Purchases of one showtime, those that come during the request too, cost one request."""
    partner.open.clear()
    sold = [await sell(intake, number) for number in range(5)]
    enrichment.kick()
    async with asyncio.timeout(20):
        await partner.came.wait()
    sold.append(await sell(intake, 6))
    enrichment.kick()
    partner.open.set()
    await settled(enrichment)
    assert len(partner.asked) == 1
    assert {(await state(database, each))[0] for each in sold} == {PurchaseState.ENRICHED}


async def test_an_answer_serves_those_that_were_not_due_yet(
    database: Database,
    clock: Clock,
    intake: Intake,
    enrichment: Enrichment,
    partner: PartnerServer,
) -> None:
    """A look-up for a new purchase enriches older ones of the showtime that still waited."""
    partner.answer = failing(500)
    early = await sell(intake, 1)
    await settled(enrichment)
    partner.answer = None
    clock.move(seconds=1)
    late = await sell(intake, 2)
    await settled(enrichment)
    assert {(await state(database, each))[0] for each in (early, late)} == {PurchaseState.ENRICHED}


async def test_one_screening_for_all_its_purchases(
    database: Database,
    intake: Intake,
    enrichment: Enrichment,
    partner: PartnerServer,
    tickets: Tickets,
) -> None:
    """A second purchase brings a newer revision into the row that is there: none is doubled."""
    first = await sell(intake, 1)
    await settled(enrichment)
    partner.changes = {
        "revision": 2,
        "movie_start": "2026-03-06T19:56:00Z",
        "title": "Steamboat Bill Jr.",
        "status": "started",
    }
    second = await sell(intake, 2)
    await settled(enrichment)
    one, two = await tickets.by_correlation(first), await tickets.by_correlation(second)
    assert one.screening == two.screening
    assert one.screening is not None
    assert one.screening.movie_start == EVENING + timedelta(minutes=26)
    assert one.screening.revision == 2
    assert one.movie is not None
    assert one.movie.title == "Steamboat Bill Jr."
    async with database.read() as connection:
        for table in (screenings, movies, theaters):
            counted = await connection.execute(select(func.count()).select_from(table))
            assert counted.scalar_one() == 1


@pytest.mark.parametrize("revision", [4, 5])
async def test_an_older_revision_never_overwrites(
    intake: Intake,
    enrichment: Enrichment,
    partner: PartnerServer,
    tickets: Tickets,
    revision: int,
) -> None:
    """An answer that is older, or of the same revision with other content, changes nothing."""
    partner.changes = {"revision": 5, "movie_start": "2026-03-06T19:56:00Z"}
    first = await sell(intake, 1)
    await settled(enrichment)
    before = await tickets.by_correlation(first)
    partner.changes = {"revision": revision, "title": "Old", "theater_name": "Old"}
    second = await sell(intake, 2)
    await settled(enrichment)
    assert await tickets.by_correlation(first) == before
    assert (await tickets.by_correlation(second)).screening == before.screening


async def test_showings_share_their_movie_theater_and_auditorium(
    database: Database, intake: Intake, enrichment: Enrichment
) -> None:
    """Many showings, one row for each movie, theater and auditorium that they have in common."""
    for number in range(6):
        await sell(intake, number, showtime_id=f"st-{number}", auditorium_number=str(number % 2))
    await settled(enrichment)
    async with database.read() as connection:
        counted = [
            (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()  # noqa: S608 - our own names
            for table in ("screenings", "movies", "theaters", "auditoriums")
        ]
    assert counted == [6, 1, 1, 2]


async def test_environments_are_asked_and_kept_apart(
    database: Database, clock: Clock, intake: Intake, client: PartnerClient
) -> None:
    """Equal ids of two environments are two screenings; one without a partner waits untouched."""
    bought = [
        await accept(intake, environment, notice())
        for environment in ("prod", "staging", "unknown")
    ]
    enrichment = worker(database, clock, {"prod": client, "staging": client})
    await enrichment.start()
    await settled(enrichment)
    rows = [await purchase_row(database, each) for each in bought]
    assert [row.state.value for row in rows] == ["enriched", "enriched", "accepted"]
    assert rows[0].screening_id != rows[1].screening_id
    assert rows[2].attempts == 0
    await enrichment.stop()


async def test_no_more_requests_at_once_than_allowed(
    database: Database, clock: Clock, intake: Intake, partner: PartnerServer, client: PartnerClient
) -> None:
    """With a concurrency of 2, two requests wait at the partner, and all are served in the end."""
    most = 0
    now = 0
    seen = asyncio.Event()

    original = partner.details

    async def counted(request: web.Request) -> web.StreamResponse:
        nonlocal most, now
        now += 1
        most = max(most, now)
        if len(partner.asked) == 1:
            seen.set()
        try:
            return await original(request)
        finally:
            now -= 1

    app = web.Application()
    app.router.add_get("/screening/details", counted)
    partner.open.clear()
    async with TestServer(app) as server, ClientSession() as session, asyncio.timeout(20):
        limited = PartnerClient(session, str(server.make_url("/")), timeout_s=5)
        enrichment = worker(database, clock, {"prod": limited}, concurrency=2)
        sold = [await sell(intake, n, showtime_id=f"st-{n}") for n in range(7)]
        await enrichment.start()
        await seen.wait()
        partner.open.set()
        await settled(enrichment)
        await enrichment.stop()
    assert most == 2
    assert {(await state(database, each))[0] for each in sold} == {PurchaseState.ENRICHED}


async def test_stop_does_not_wait_for_a_slow_partner(
    database: Database,
    intake: Intake,
    enrichment: Enrichment,
    partner: PartnerServer,
) -> None:
    """A look-up that hangs is dropped at once, and its purchase stays due."""
    partner.open.clear()
    sold = await sell(intake)
    enrichment.kick()
    async with asyncio.timeout(20):
        await partner.came.wait()
        await enrichment.stop()
    row = await purchase_row(database, sold)
    assert (row.state, row.attempts, row.next_attempt_at) == (PurchaseState.ACCEPTED, 0, EVENING)


async def test_a_bug_in_one_look_up_does_not_stop_the_others(
    database: Database, clock: Clock, intake: Intake, client: PartnerClient
) -> None:
    """A look-up that dies is logged with its traceback and held; all others go on."""

    class Breaking:
        """A partner whose client has a bug for one showtime."""

        async def screening_details(
            self, movie_id: str, place_id: str, auditorium_number: str, showtime_id: str
        ) -> ScreeningDetails:
            if showtime_id == "st-0":
                raise ZeroDivisionError
            return await client.screening_details(
                movie_id, place_id, auditorium_number, showtime_id
            )

        async def showings(self, question: Question, sold_at: datetime) -> list[ScreeningDetails]:
            return await client.showings(question, sold_at)

    enrichment = worker(database, clock, {"prod": Breaking()}, concurrency=1)
    sold = [await sell(intake, n, showtime_id=f"st-{n}") for n in range(4)]
    with capture_logs() as logs:
        await enrichment.start()
        await settled(enrichment)
    states = [(await purchase_row(database, each)).state.value for each in sold]
    assert states == ["accepted", "enriched", "enriched", "enriched"]
    failed = [entry for entry in logs if entry["event"] == "worker_failed"]
    assert [type(entry["exc_info"]) for entry in failed] == [ZeroDivisionError]
    assert enrichment.running
    await enrichment.stop()
    assert not enrichment.running


async def test_each_step_of_a_purchase_is_logged_with_its_correlation_id(
    intake: Intake, enrichment: Enrichment, clock: Clock, partner: PartnerServer
) -> None:
    """Accepted, postponed, enriched: support finds all of it by one id."""
    partner.answer = failing(500)
    with capture_logs() as logs:
        sold = await sell(intake)
        await settled(enrichment)
        partner.answer = None
        clock.move(seconds=10)
        await settled(enrichment)
    events = [entry["event"] for entry in logs if entry.get("correlation_id") == sold]
    assert events == ["purchase_accepted", "enrichment_postponed", "purchase_enriched"]
