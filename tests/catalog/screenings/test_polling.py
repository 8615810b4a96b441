"""Looking again, in case an event was lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from catalog.errors import PartnerUnavailableError
from catalog.models import PurchaseState, ScreeningStatus
from catalog.partner.details import ScreeningDetails
from catalog.screenings.keeping import store_details
from catalog.screenings.polling import Polling
from catalog.screenings.polling_schedule import PollIntervals, watch_screening
from catalog.screenings.screening_rows import read_seen
from catalog.store.database import Database
from catalog.store.leases import Lease
from catalog.store.schema import purchases, screenings
from tests.catalog.samples import EVENING, Clock, details


class Told:
    """A partner that says what the test has it say, and counts how often it is asked."""

    def __init__(self) -> None:
        self.changes: dict[str, Any] = {}
        self.asked = 0
        self.away = False

    async def screening_details(
        self, *question: str, fresh: timedelta, stale: timedelta
    ) -> ScreeningDetails:
        """As Answers does."""
        assert (question[3], fresh, stale) == ("st-1", timedelta(0), timedelta(0))
        self.asked += 1
        if self.away:
            raise PartnerUnavailableError("timeout", "no answer in time")
        return ScreeningDetails.model_validate(details(**self.changes))


class Hanging(Told):
    """A partner that answers when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_at_all, self.go = asyncio.Event(), asyncio.Event()

    async def screening_details(
        self, *question: str, fresh: timedelta, stale: timedelta
    ) -> ScreeningDetails:
        """As Answers does, in the end."""
        self.asked_at_all.set()
        await self.go.wait()
        return await super().screening_details(*question, fresh=fresh, stale=stale)


@pytest.fixture
def told() -> Told:
    """The partner."""
    return Told()


@pytest.fixture
async def row(database: Database) -> int:
    """A stored screening, not watched yet."""
    async with database.write() as connection:
        stored = await store_details(
            connection,
            "prod",
            "steamboat",
            "grand-lake",
            "st-1",
            ScreeningDetails.model_validate(details()),
            now=EVENING,
        )
    return stored.screening_id


def polling_of(
    database: Database, told: Told, clock: Clock, holder: str = "one", changes: Any = None
) -> Polling:
    """A replica's worker."""
    return Polling(
        database,
        {"prod": told},
        clock,
        Lease(database, clock, "polling", holder, timedelta(seconds=30)),
        intervals=PollIntervals(),
        concurrency=2,
        on_change=changes or (lambda: None),
        fraction=lambda: 0.0,
    )


@pytest.fixture
async def polling(database: Database, told: Told, clock: Clock) -> AsyncIterator[Polling]:
    """The worker of the only replica, its first sweep done: what a test sells is not swept up."""
    running = polling_of(database, told, clock)
    await running.start()
    await settled(running)
    yield running
    await running.stop()


async def settled(polling: Polling) -> None:
    """Everything that is due now was looked at."""
    polling.kick()
    async with asyncio.timeout(20):
        await polling.idle()


async def due_at(database: Database, row: int) -> datetime | None:
    """When the screening is looked at next."""
    async with database.read() as connection:
        at: datetime | None = await connection.scalar(
            select(screenings.c.next_poll_at).where(screenings.c.id == row)
        )
    return at


async def sell(database: Database, row: int, count: int) -> None:
    """So many enriched purchases of the screening."""
    async with database.write() as connection:
        await connection.execute(
            insert(purchases),
            [
                {
                    "environment": "prod",
                    "purchase_id": f"p-{number}",
                    "movie_id": "steamboat",
                    "place_id": "grand-lake",
                    "auditorium_number": "7",
                    "showtime_id": "st-1",
                    "purchased_at": EVENING,
                    "correlation_id": f"c-{number}",
                    "webhook_id": f"m-{number}",
                    "accepted_at": EVENING,
                    "state": PurchaseState.ENRICHED,
                    "attempts": 0,
                    "next_attempt_at": EVENING,
                    "screening_id": row,
                }
                for number in range(count)
            ],
        )


async def watch(database: Database, row: int, now: datetime = EVENING) -> None:
    """As enrichment does."""
    async with database.write() as connection:
        await watch_screening(connection, row, now)


async def test_a_lost_event_heals_within_seconds_of_the_previews(
    database: Database, told: Told, clock: Clock, row: int
) -> None:
    """The film was started, nobody said so, and the next look finds it and tells listeners."""
    heard = asyncio.Event()
    polling = polling_of(database, told, clock, changes=heard.set)
    await polling.start()
    await watch(database, row)
    assert await due_at(database, row) == EVENING + timedelta(seconds=5)
    told.changes = {"revision": 2, "status": "started", "movie_start": "2026-03-06T19:47:12.5Z"}
    clock.move(seconds=5)
    await settled(polling)
    async with database.read() as connection:
        screening = (await read_seen(connection, row)).screening
    assert screening.status is ScreeningStatus.STARTED
    assert screening.movie_start == datetime.fromisoformat("2026-03-06T19:47:12.5Z")
    assert heard.is_set()
    assert await due_at(database, row) == clock.now + timedelta(minutes=10)
    await polling.stop()


async def test_a_screening_costs_one_request_however_many_tickets_it_has(
    database: Database, told: Told, clock: Clock, row: int, polling: Polling
) -> None:
    """Five hundred tickets, one look."""
    await sell(database, row, 500)
    await watch(database, row)
    clock.move(seconds=5)
    await settled(polling)
    assert told.asked == 1


async def test_what_was_forgotten_is_found_by_the_daily_sweep(
    database: Database, told: Told, clock: Clock, row: int
) -> None:
    """A screening with tickets and no next look, as an older Tell left them."""
    await sell(database, row, 1)
    assert await due_at(database, row) is None
    polling = polling_of(database, told, clock)
    await polling.start()
    await settled(polling)
    assert told.asked == 1
    async with database.write() as connection:
        await connection.execute(
            update(screenings).values(next_poll_at=None, credits_end=EVENING + timedelta(days=3))
        )
    clock.move(hours=23)
    await settled(polling)
    assert told.asked == 1
    clock.move(hours=1)
    await settled(polling)
    assert told.asked == 2
    await polling.stop()


async def test_one_that_nobody_bought_is_not_looked_at(
    database: Database, told: Told, row: int, polling: Polling
) -> None:
    """Events of it are kept all the same."""
    await settled(polling)
    assert told.asked == 0
    assert await due_at(database, row) is None


async def test_a_partner_that_is_away_is_asked_again_and_nothing_is_forgotten(
    database: Database, told: Told, clock: Clock, row: int, polling: Polling
) -> None:
    """What is known stays; the next look has its time."""
    await watch(database, row)
    told.away = True
    clock.move(seconds=5)
    await settled(polling)
    assert told.asked == 1
    assert await due_at(database, row) == clock.now + timedelta(seconds=5)
    told.away = False
    clock.move(seconds=5)
    await settled(polling)
    assert told.asked == 2


async def test_of_two_replicas_one_polls(
    database: Database, told: Told, clock: Clock, row: int, polling: Polling
) -> None:
    """The other takes over when the first one has stopped."""
    await settled(polling)
    other = polling_of(database, told, clock, "two")
    await other.start()
    await watch(database, row)
    clock.move(seconds=5)
    await settled(other)
    assert told.asked == 0
    await settled(polling)
    assert told.asked == 1
    await polling.stop()
    clock.move(seconds=5)
    await settled(other)
    assert told.asked == 2
    await other.stop()


async def test_what_is_over_is_not_looked_at_any_more(
    database: Database, told: Told, clock: Clock, row: int, polling: Polling
) -> None:
    """The last look is at the end of the credits."""
    await watch(database, row)
    clock.move(hours=3)
    await settled(polling)
    assert await due_at(database, row) is None


async def test_a_ticket_sold_for_a_film_that_is_over_is_not_watched(
    database: Database, row: int
) -> None:
    """There is nothing to look for any more."""
    await watch(database, row, EVENING + timedelta(hours=3))
    assert await due_at(database, row) is None


async def test_a_slow_environment_keeps_no_other_waiting(
    database: Database, told: Told, clock: Clock, row: int
) -> None:
    """What hangs at staging is staging's own; the cinema's screening is looked at meanwhile."""
    async with database.write() as connection:
        await store_details(
            connection,
            "staging",
            "steamboat",
            "grand-lake",
            "st-1",
            ScreeningDetails.model_validate(details()),
            now=EVENING,
        )
        await connection.execute(update(screenings).values(next_poll_at=EVENING))
    hanging = Hanging()
    lease = Lease(database, clock, "polling", "one", timedelta(seconds=30))
    looked = asyncio.Event()
    running = Polling(
        database,
        {"staging": hanging, "prod": told},
        clock,
        lease,
        intervals=PollIntervals(),
        concurrency=1,
        on_poll=lambda environment, outcome: looked.set() if environment == "prod" else None,
    )
    await running.start()
    async with asyncio.timeout(60):
        await hanging.asked_at_all.wait()
        for _ in range(2):
            await looked.wait()
            looked.clear()
            async with database.write() as connection:
                await connection.execute(
                    update(screenings).where(screenings.c.id == row).values(next_poll_at=EVENING)
                )
            running.kick()
    assert running.running
    hanging.go.set()
    await settled(running)
    await running.stop()


async def test_a_far_poll_without_an_answer_is_tried_again_within_the_hour(
    database: Database, told: Told, clock: Clock, polling: Polling, row: int
) -> None:
    """Three days ahead a screening is looked at daily: a failed look is not waited out so long."""
    await sell(database, row, 1)
    clock.move(days=-3)
    await watch(database, row, clock.now - timedelta(days=1))
    told.away = True
    await settled(polling)
    assert told.asked == 1
    assert await due_at(database, row) == clock.now + timedelta(hours=1)
