"""Several gateways, restarts and deaths: each look-up is made, by one of them."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

from catalog.enrichment.enricher import Enrichment
from catalog.enrichment.look_ups import LookUp
from catalog.enrichment.waiting import Waiting
from catalog.models import PurchaseState
from catalog.partner.client import PartnerClient
from catalog.purchases.intake import Intake
from catalog.store.database import Database
from tests.catalog.enrichment.enriching import sell, state, worker
from tests.catalog.samples import (
    Clock,
    PartnerServer,
    failing,
    purchase_row,
    settled,
)


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
