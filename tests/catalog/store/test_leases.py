from __future__ import annotations

import asyncio
from datetime import timedelta

from catalog.store.database import Database
from catalog.store.leases import Lease
from tests.catalog.samples import Clock

TTL = timedelta(seconds=30)


def lease(database: Database, clock: Clock, holder: str, name: str = "poll") -> Lease:
    """A lease as that holder has it."""
    return Lease(database, clock, name, holder, TTL)


async def test_one_holder_at_a_time(database: Database, clock: Clock) -> None:
    """The first has it, again and again; another one has not; another name is another lease."""
    first, second = lease(database, clock, "one"), lease(database, clock, "two")
    assert await first.acquire()
    assert await first.acquire()
    assert not await second.acquire()
    assert await lease(database, clock, "two", "prune").acquire()


async def test_a_dead_holder_loses_it_when_it_expires(database: Database, clock: Clock) -> None:
    """It is held up to the last moment of its time to live, and is anybody's from then on."""
    first, second = lease(database, clock, "one"), lease(database, clock, "two")
    assert await first.acquire()
    clock.move(seconds=29.999999)
    assert not await second.acquire()
    clock.move(seconds=0.000001)
    assert await second.acquire()
    assert not await first.renew()


async def test_renewing_keeps_it(database: Database, clock: Clock) -> None:
    """Who renews in time has it for as long again."""
    first, second = lease(database, clock, "one"), lease(database, clock, "two")
    assert await first.acquire()
    clock.move(seconds=20)
    assert await first.renew()
    clock.move(seconds=20)
    assert not await second.acquire()


async def test_released_it_is_free_at_once(database: Database, clock: Clock) -> None:
    """A replica that stops lets another go on; a release of what another holds does nothing."""
    first, second = lease(database, clock, "one"), lease(database, clock, "two")
    assert await first.acquire()
    await second.release()
    assert not await second.acquire()
    await first.release()
    assert await second.acquire()


async def test_many_who_come_at_once(database: Database, clock: Clock) -> None:
    """Of many replicas that start together exactly one gets a lease that nobody had."""
    got = await asyncio.gather(
        *(lease(database, clock, f"replica {number}").acquire() for number in range(10))
    )
    assert sorted(got) == [False] * 9 + [True]
