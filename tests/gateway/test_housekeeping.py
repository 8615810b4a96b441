from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from catalog.listeners.pruning import KeepRules
from catalog.store.database import Database
from catalog.store.schema import events, purchase_cancellations
from gateway.housekeeping import Housekeeping
from tests.gateway.town import NOW, HandClock

DAY = timedelta(days=1)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """What two replicas share."""
    opened = await Database.open(database_url)
    yield opened
    await opened.close()


def replica(database: Database, clock: HandClock, name: str) -> Housekeeping:
    """One gateway's housekeeping."""
    return Housekeeping(database, clock, name, KeepRules(30 * DAY, 14 * DAY), events=DAY)


async def test_one_replica_prunes_once_a_day(database: Database, clock: HandClock) -> None:
    """Whoever comes first does it; the others, and a restart, see that it is done."""
    one, two = replica(database, clock, "one"), replica(database, clock, "two")
    assert await one.run_due()
    assert not await two.run_due()
    assert not await one.run_due()
    clock.advance(hours=23)
    assert not await replica(database, clock, "one-restarted").run_due()
    clock.advance(hours=1)
    assert await two.run_due()
    assert not await one.run_due()


async def test_events_and_old_rows_go(database: Database, clock: HandClock) -> None:
    """Events after a day, a cancellation that nobody asked for after two weeks."""
    async with database.write() as connection:
        await connection.execute(
            insert(events),
            [
                {"id": number, "at": NOW - timedelta(hours=hours), "kind": "x", "detail": "{}"}
                for number, hours in ((1, 25), (2, 23))
            ],
        )
        await connection.execute(
            insert(purchase_cancellations).values(
                environment="local", purchase_id="p", cancelled_at=NOW - 15 * DAY
            )
        )
    assert await replica(database, clock, "one").run_due()
    async with database.read() as connection:
        assert list(await connection.scalars(select(events.c.id))) == [2]
        left = await connection.scalar(select(func.count()).select_from(purchase_cancellations))
    assert left == 0


async def test_it_runs_beside_the_gateway(database: Database, clock: HandClock) -> None:
    """Started, it prunes; stopped, it ends at once, and closed databases do not kill it."""
    running = replica(database, clock, "one")
    await running.start()
    await running.stop()
    await database.close()
    assert not await replica(database, clock, "two").run_due()
