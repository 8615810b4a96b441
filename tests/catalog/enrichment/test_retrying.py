"""What passes is tried again, each time later, for as long as it takes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer, unused_port
from hypothesis import given
from hypothesis import strategies as st

from catalog.enrichment.enricher import Enrichment
from catalog.enrichment.look_ups import retry_delay_s
from catalog.models import PurchaseState
from catalog.partner.client import PartnerClient
from catalog.purchases.intake import Intake
from catalog.store.database import Database
from tests.catalog.enrichment.enriching import sell, state, worker
from tests.catalog.samples import (
    EVENING,
    Clock,
    PartnerServer,
    failing,
    garbage,
    purchase_row,
    settled,
)


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


@given(
    st.integers(min_value=0, max_value=10_000),
    st.floats(min_value=0, max_value=1, exclude_max=True),
)
def test_the_delay_stays_within_its_bounds(attempts: int, fraction: float) -> None:
    """However often it failed, the delay is between half the first and the longest."""
    assert 5 <= retry_delay_s(attempts, 10, 300, fraction) <= 300
