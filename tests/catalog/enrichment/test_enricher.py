from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer, unused_port
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from structlog.testing import capture_logs

from catalog.enrichment.enricher import Enrichment, Partner
from catalog.enrichment.look_ups import LookUp, retry_delay_s
from catalog.enrichment.waiting import Waiting
from catalog.models import PurchaseState
from catalog.partner.client import PartnerClient
from catalog.partner.details import Question, ScreeningDetails
from catalog.purchases.intake import Intake
from catalog.purchases.tickets import Tickets
from catalog.store.database import Database
from catalog.store.schema import movies, screenings, theaters
from tests.catalog.samples import (
    EVENING,
    Clock,
    PartnerServer,
    accept,
    details,
    failing,
    garbage,
    notice,
    purchase_row,
    settled,
)


def worker(
    database: Database, clock: Clock, partners: Mapping[str, Partner], **options: Any
) -> Enrichment:
    """An enrichment that does not run yet."""
    return Enrichment(
        database,
        partners,
        clock,
        **{
            "retry_first_s": 10,
            "retry_max_s": 300,
            "concurrency": 4,
            "fraction": lambda: 1.0,
            **options,
        },
    )


async def sell(intake: Intake, number: int = 1, **changes: Any) -> str:
    """Correlation id of a purchase with a purchase_id of its own."""
    return await accept(
        intake, "prod", notice(purchase_id=f"p-{number}", **changes), f"msg-{number}"
    )


async def state(database: Database, correlation_id: str) -> tuple[PurchaseState, str | None]:
    """State and failure code as stored."""
    row = await purchase_row(database, correlation_id)
    return row.state, row.failure_code


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


async def test_a_partner_that_was_down_is_asked_again(
    database: Database, clock: Clock, intake: Intake
) -> None:
    """Nobody listens at the sale; when the partner is back the purchase is enriched."""
    port = unused_port()
    partner = PartnerServer()
    app = web.Application()
    app.router.add_get("/screening/details", partner.details)
    async with ClientSession() as session:
        client = PartnerClient(session, f"http://127.0.0.1:{port}", timeout_s=5)
        enrichment = worker(database, clock, {"prod": client})
        await enrichment.start()
        sold = await sell(intake)
        await settled(enrichment)
        assert await state(database, sold) == (PurchaseState.ACCEPTED, "connection")
        async with TestServer(app, port=port):
            await settled(enrichment)
            assert partner.asked == [], "not before its time"
            clock.move(seconds=10)
            await settled(enrichment)
        assert await state(database, sold) == (PurchaseState.ENRICHED, None)
        await enrichment.stop()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (failing(500), "status-500"),
        (failing(404), "screening-unknown"),
        (failing(401), "status-401"),
        (garbage, "not-json"),
    ],
)
async def test_what_passes_is_tried_again(
    database: Database,
    clock: Clock,
    intake: Intake,
    enrichment: Enrichment,
    partner: PartnerServer,
    answer: Callable[[], web.Response],
    code: str,
) -> None:
    """Failures that pass leave the purchase accepted, with their name, until an answer comes."""
    partner.answer = answer
    sold = await sell(intake)
    await settled(enrichment)
    row = await purchase_row(database, sold)
    assert (row.state, row.failure_code, row.attempts) == (PurchaseState.ACCEPTED, code, 1)
    assert row.next_attempt_at == EVENING + timedelta(seconds=10)
    clock.move(seconds=10)
    await settled(enrichment)
    row = await purchase_row(database, sold)
    assert (row.attempts, row.next_attempt_at) == (2, EVENING + timedelta(seconds=30))
    partner.answer = None
    clock.move(seconds=20)
    await settled(enrichment)
    assert await state(database, sold) == (PurchaseState.ENRICHED, None)


async def test_a_slow_partner_is_tried_again(
    database: Database, clock: Clock, intake: Intake, partner: PartnerServer, partner_url: str
) -> None:
    """An answer that does not come in time is a failure that passes."""
    partner.open.clear()
    async with ClientSession() as session:
        client = PartnerClient(session, partner_url, timeout_s=0.05)
        enrichment = worker(database, clock, {"prod": client})
        await enrichment.start()
        sold = await sell(intake)
        await settled(enrichment)
        assert await state(database, sold) == (PurchaseState.ACCEPTED, "timeout")
        await enrichment.stop()


async def test_an_hour_without_the_partner_is_survived(
    database: Database,
    clock: Clock,
    intake: Intake,
    enrichment: Enrichment,
    partner: PartnerServer,
) -> None:
    """The interval doubles up to its limit, and the look-up goes on for as long as it takes."""
    partner.answer = failing(503)
    sold = await sell(intake)
    intervals = []
    while clock() < EVENING + timedelta(hours=1):
        await settled(enrichment)
        due = (await purchase_row(database, sold)).next_attempt_at
        intervals.append((due - clock()).total_seconds())
        clock.now = due
    assert intervals[:6] == [10, 20, 40, 80, 160, 300]
    assert set(intervals[6:]) == {300}
    partner.answer = None
    await settled(enrichment)
    assert await state(database, sold) == (PurchaseState.ENRICHED, None)


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


async def test_retry_after_is_obeyed(
    database: Database,
    intake: Intake,
    enrichment: Enrichment,
    partner: PartnerServer,
) -> None:
    """A partner that asks for two minutes gets them, though the first delay is ten seconds."""
    partner.answer = lambda: web.Response(status=429, headers={"Retry-After": "120"})
    sold = await sell(intake)
    await settled(enrichment)
    row = await purchase_row(database, sold)
    assert row.next_attempt_at == EVENING + timedelta(minutes=2)


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


async def test_a_restart_goes_on_where_it_stopped(
    database: Database,
    database_url: str,
    clock: Clock,
    intake: Intake,
    enrichment: Enrichment,
    partner: PartnerServer,
    client: PartnerClient,
) -> None:
    """A later process keeps the count of failures and the time of the next look-up."""
    partner.answer = failing(500)
    sold = await sell(intake)
    await settled(enrichment)
    await enrichment.stop()
    partner.answer = None
    reopened = await Database.open(database_url)
    later = worker(reopened, clock, {"prod": client})
    await later.start()
    await settled(later)
    assert len(partner.asked) == 1, "the next look-up is not due yet"
    clock.move(seconds=10)
    await settled(later)
    assert await state(reopened, sold) == (PurchaseState.ENRICHED, None)
    await later.stop()
    await reopened.close()


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


async def test_the_time_of_the_next_look_up_wakes_it(
    database: Database, intake: Intake, partner: PartnerServer, client: PartnerClient
) -> None:
    """Without a kick, the worker itself asks again when the time has come."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    told = asyncio.Event()
    answers = iter([failing(500)])

    def once() -> web.StreamResponse:
        answer = next(answers)
        partner.answer = None
        return answer()

    partner.answer = once
    # The event loop's own clock, so that its time-outs and the worker's instants go together.
    enrichment = Enrichment(
        database,
        {"prod": client},
        lambda: EVENING + timedelta(seconds=loop.time() - began),
        retry_first_s=0.05,
        retry_max_s=1,
        concurrency=1,
        on_enriched=lambda _: told.set(),
    )
    await sell(intake)
    await enrichment.start()
    async with asyncio.timeout(20):
        await told.wait()
    await enrichment.stop()
    assert len(partner.asked) == 2


async def test_a_database_that_fails_for_a_while(
    tmp_path: Path, clock: Clock, client: PartnerClient, partner: PartnerServer
) -> None:
    """An answer that cannot be stored is asked for again, after a pause and not in a loop."""
    database = await Database.open(f"sqlite:///{tmp_path}/busy.db", busy_timeout_s=0.05)
    intake = Intake(database, clock, commit_rows=50, queue_limit=10)
    await intake.start()
    sold = await sell(intake)
    enrichment = worker(database, clock, {"prod": client}, claim_s=20)
    partner.open.clear()
    await enrichment.start()
    async with asyncio.timeout(20):
        await partner.came.wait()
    other = sqlite3.connect(tmp_path / "busy.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    partner.open.set()
    async with asyncio.timeout(20):
        await enrichment.idle()
    other.execute("ROLLBACK")
    other.close()
    await settled(enrichment)
    assert (await purchase_row(database, sold)).attempts == 0
    assert len(partner.asked) == 1, "it pauses"
    clock.move(seconds=20)
    await settled(enrichment)
    assert await state(database, sold) == (PurchaseState.ENRICHED, None)
    await enrichment.stop()
    await intake.stop()
    await database.close()


async def test_gateways_share_the_look_ups(
    database: Database,
    database_url: str,
    clock: Clock,
    intake: Intake,
    client: PartnerClient,
    partner: PartnerServer,
) -> None:
    """Two gateways on one database: each look-up is made by one of them, and all are made."""
    told: list[str] = []
    async with AsyncExitStack() as stack:
        gateways = []
        for _ in range(2):
            opened = await Database.open(database_url)
            stack.push_async_callback(opened.close)
            gateways.append(worker(opened, clock, {"prod": client}, on_enriched=told.append))
        sold = [await sell(intake, number, showtime_id=f"st-{number}") for number in range(12)]
        for gateway in gateways:
            await gateway.start()
        async with asyncio.timeout(20):
            while len(told) < len(sold):
                for gateway in gateways:
                    await settled(gateway)
        for gateway in gateways:
            await gateway.stop()
    assert sorted(told) == sorted(sold)
    assert len(partner.asked) == 12


async def test_what_a_dead_gateway_had_claimed_comes_due_again(
    database: Database,
    clock: Clock,
    intake: Intake,
    client: PartnerClient,
    enrichment: Enrichment,
) -> None:
    """A claim ends by itself: another gateway takes the look-up then, and not before."""
    sold = await sell(intake)
    mine = LookUp("prod", "steamboat", "grand-lake", "7", "st-1")
    dead = Waiting(database, clock)
    assert await dead.claim([mine], clock() + timedelta(seconds=30)) == [mine]
    await settled(enrichment)
    assert (await purchase_row(database, sold)).state is PurchaseState.ACCEPTED
    clock.move(seconds=30)
    await settled(enrichment)
    assert (await purchase_row(database, sold)).state is PurchaseState.ENRICHED


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


@given(
    st.integers(min_value=0, max_value=10_000),
    st.floats(min_value=0, max_value=1, exclude_max=True),
)
def test_the_delay_stays_within_its_bounds(attempts: int, fraction: float) -> None:
    """However often it failed, the delay is between half the first and the longest."""
    assert 5 <= retry_delay_s(attempts, 10, 300, fraction) <= 300
