"""A running AMC-clone for tests, and a clock that is moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from amc_clone.app import SERVICES, Services, create_app
from amc_clone.backoff import Backoff
from amc_clone.models import Purchase, Screening
from amc_clone.programming import NewScreening
from tests.amc_clone.partner import KEY_ID, SECRET, TellServer

# A Friday evening in New York, 19:30 EST.
NOW = datetime(2027, 3, 6, 0, 30, tzinfo=UTC)
PLACE = "hudson-street-12"
# Kept free of the programme.
FREE_AUDITORIUM = "12"


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Now."""
        return self.now

    def advance(self, **step: float) -> None:
        """Move on by a timedelta's arguments."""
        self.now += timedelta(**step)


@dataclass
class Cinema:
    """A running, seeded AMC-clone."""

    clock: HandClock
    app: web.Application
    client: TestClient[web.Request, web.Application]
    tell: TellServer

    @property
    def services(self) -> Services:
        """Its parts."""
        return self.app[SERVICES]

    async def put_on(
        self,
        movie_id: str = "one-week",
        *,
        starts_in_min: float = 3,
        auditorium_number: str = FREE_AUDITORIUM,
    ) -> Screening:
        """Add a screening whose movie_start is so many minutes from now."""
        movie_start = self.clock.now + timedelta(minutes=starts_in_min)
        return await self.services.programming.add(
            NewScreening(
                movie_id=movie_id,
                place_id=PLACE,
                auditorium_number=auditorium_number,
                previews_start=movie_start - timedelta(minutes=20),
                movie_start=movie_start,
                credits_end=None,
                movie_start_bound_ms=300_000,
            )
        )

    async def sell(self) -> Purchase:
        """Put a screening on and sell a ticket for it."""
        screening = await self.put_on()
        return await self.services.box_office.sell(screening.showtime_id)

    async def purchase_when(self, purchase_id: str, is_so: Callable[[Purchase], bool]) -> Purchase:
        """The purchase, as soon as *is_so* holds of it."""
        async with asyncio.timeout(20):
            while True:
                change = self.services.changes.next_change()
                purchase = await self.services.box_office.purchase(purchase_id)
                if is_so(purchase):
                    return purchase
                await change.wait()

    def later(self, **step: float) -> None:
        """Move the clock on, and let the outbox see it."""
        self.clock.advance(**step)
        self.services.outbox.wake()


async def open_cinema(
    database_url: str | Path, clock: HandClock, tell: TellServer, *, seed_data: bool = True
) -> Cinema:
    """Start AMC-clone on a database; close it by its client."""
    app = create_app(
        database_url=database_url,
        tell_url=tell.url,
        key_id=KEY_ID,
        secret=SECRET,
        clock=clock,
        seed_data=seed_data,
        backoff=Backoff(first_s=1.0, max_s=30.0),
    )
    client = TestClient(TestServer(app))
    await client.start_server()
    return Cinema(clock, app, client, tell)
