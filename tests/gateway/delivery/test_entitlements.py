"""Tickets in memory are as the database has them."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable

import pytest
from sqlalchemy import update

from catalog.errors import DatabaseError, TicketNotFoundError
from catalog.listeners.events import Event, EventLog
from catalog.models import PurchaseState, ScreeningStatus
from catalog.purchases.tickets import Tickets
from catalog.store import schema
from gateway import keys
from gateway.delivery.entitlements import Entitlements
from tests.gateway.town import PATIENCE_S, Town


def kept(town: Town, limit: int = 10, monotonic: Callable[[], float] = lambda: 0.0) -> Entitlements:
    """Entitlements of another replica: nobody kicks them."""
    assert town.tell.app is not None
    database = town.tell.app[keys.DATABASE]
    return Entitlements(
        Tickets(database), EventLog(database), poll_s=1.0, limit=limit, monotonic=monotonic
    )


async def test_a_change_on_another_replica_is_in_the_very_next_answer(town: Town) -> None:
    """Nobody kicks this one, and it has looked a moment ago: what was written since is seen."""
    screening = await town.show()
    sold = await town.sell(screening)
    await town.is_enriched(sold.correlation_id)
    ours = kept(town, monotonic=time.monotonic)
    for status in (ScreeningStatus.CANCELLED, ScreeningStatus.SCHEDULED) * 5:
        await town.change_screening(screening.showtime_id, status=status)
        ticket = (await ours.standing(sold.correlation_id)).ticket
        assert ticket.screening is not None
        assert ticket.screening.status is status


async def test_an_event_ends_what_was_kept(town: Town) -> None:
    """Seen with the next look at the log; other screenings' tickets stay."""
    first, second = await town.show(), await town.show()
    sold = [await town.sell(first), await town.sell(second)]
    for each in sold:
        await town.is_enriched(each.correlation_id)
    ours = kept(town)
    await ours.catch_up()
    before = [await ours.standing(each.correlation_id) for each in sold]
    assert [await ours.known(each.correlation_id) for each in sold] == before
    await town.change_screening(first.showtime_id, status=ScreeningStatus.CANCELLED)
    assert before[0].valid
    await ours.catch_up()
    assert [each.valid for each in before] == [False, True]
    after = await ours.known(sold[0].correlation_id)
    assert after.ticket.screening is not None
    assert after.ticket.screening.status is ScreeningStatus.CANCELLED


async def test_the_running_gateway_sees_it_without_being_asked(town: Town) -> None:
    """Its own look at the log, again and again."""
    screening = await town.show()
    sold = await town.sell(screening)
    await town.is_enriched(sold.correlation_id)
    assert town.tell.app is not None
    standing = await town.tell.app[keys.ENTITLEMENTS].standing(sold.correlation_id)
    await town.change_screening(screening.showtime_id, status=ScreeningStatus.CANCELLED)
    assert not standing.valid


async def test_the_audit_finds_what_no_event_tells(town: Town) -> None:
    """An erased ticket, and one that was changed without a word."""
    sold, _ = await town.ticket()
    other, _ = await town.ticket()
    ours = kept(town)
    standings = [await ours.known(each.correlation_id) for each in (sold, other)]
    await ours.audit()
    assert [each.valid for each in standings] == [True, True]
    async with town.database() as database, database.write() as connection:
        await connection.execute(
            update(schema.purchases)
            .where(schema.purchases.c.correlation_id == sold.correlation_id)
            .values(state=PurchaseState.CANCELLED)
        )
    await ours.audit()
    assert [each.valid for each in standings] == [False, True]


async def test_no_more_than_the_limit_is_kept(town: Town) -> None:
    """The one that was not asked for longest goes, and what was built on it."""
    names = [(await town.ticket())[0].correlation_id for _ in range(3)]
    ours = kept(town, limit=2)
    first = await ours.known(names[0])
    second = await ours.known(names[1])
    await ours.known(names[0])
    await ours.known(names[2])
    assert len(ours) == 2
    assert first.valid
    assert not second.valid


async def test_a_known_ticket_outlives_the_database(town: Town) -> None:
    """Her sound goes on while the database is away; nobody new is let in."""
    sold, _ = await town.ticket()
    other, _ = await town.ticket()
    async with town.database() as database:
        ours = Entitlements(
            Tickets(database), EventLog(database), poll_s=1.0, limit=10, monotonic=lambda: 0.0
        )
        standing = await ours.standing(sold.correlation_id)
    ours.kick()
    assert await ours.standing(sold.correlation_id) is standing
    with pytest.raises(DatabaseError):
        await ours.standing(other.correlation_id)


async def test_a_ticket_that_is_not_there_is_not_found(town: Town) -> None:
    """And nothing is kept of it."""
    ours = kept(town)
    with pytest.raises(TicketNotFoundError):
        await ours.standing("a" * 20)
    assert len(ours) == 0


async def test_a_slow_look_is_fresh_for_those_who_came_before_it(town: Town) -> None:
    """However long it takes, and though there are kicks all the time: nobody waits for ever."""
    sold, _ = await town.ticket()
    assert town.tell.app is not None
    database = town.tell.app[keys.DATABASE]
    seconds = itertools.count(step=10)

    class Kicking(EventLog):
        """A log during whose every reading something is written."""

        async def after(self, last_seen: int, limit: int) -> list[Event]:
            ours.kick()
            return await super().after(last_seen, limit)

    ours = Entitlements(
        Tickets(database),
        Kicking(database),
        poll_s=1.0,
        limit=10,
        monotonic=lambda: float(next(seconds)),
    )
    async with asyncio.timeout(PATIENCE_S):
        standings = await asyncio.gather(*(ours.standing(sold.correlation_id) for _ in range(20)))
    assert {each.ticket.correlation_id for each in standings} == {sold.correlation_id}
