"""Tickets in memory are as the database has them."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Collection
from datetime import timedelta

import pytest
from sqlalchemy import update

from catalog.errors import DatabaseError, TicketNotFoundError
from catalog.listeners.events import Event, EventLog
from catalog.models import PurchaseState, ScreeningStatus
from catalog.purchases.tickets import Held, Tickets
from catalog.store import schema
from catalog.store.database import Database
from gateway import keys
from gateway.delivery.entitlements import Entitlements
from tests.gateway.town import PATIENCE_S, Town, bearer


def kept(town: Town, limit: int = 10, monotonic: Callable[[], float] = lambda: 0.0) -> Entitlements:
    """Entitlements of another replica: nobody kicks them."""
    assert town.tell.app is not None
    database = town.tell.app[keys.DATABASE]
    return Entitlements(
        Tickets(database),
        EventLog(database),
        poll_s=1.0,
        limit=limit,
        clock=lambda: town.clock.now,
        monotonic=monotonic,
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


def who(town: Town, token: str) -> str:
    """The listener of a token."""
    assert town.tell.app is not None
    return town.tell.app[keys.TOKENS].read_listener_token(token)


class CountedLog(EventLog):
    """Counts how often it is read."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.readings = 0

    async def after(self, last_seen: int, limit: int) -> list[Event]:
        """Read and count."""
        self.readings += 1
        return await super().after(last_seen, limit)


async def test_where_nobody_writes_nothing_is_read_again(town: Town) -> None:
    """SQLite tells at once that nothing was written; a server must be asked each time."""
    sold, listener = await town.ticket()
    assert town.tell.app is not None
    database = town.tell.app[keys.DATABASE]
    counted = CountedLog(database)
    ours = Entitlements(
        Tickets(database), counted, poll_s=1.0, limit=10, clock=lambda: town.clock.now
    )
    assert not ours.is_fresh(), "it has never looked"
    await ours.catch_up()
    held = await ours.held(who(town, listener), sold.correlation_id)
    # The town's own workers may write: what counts is a time in which they did not.
    for _ in range(20):
        version, before = counted.version(), counted.readings
        standing = await ours.standing(sold.correlation_id)
        known = ours.holding(who(town, listener), sold.correlation_id)
        after = counted.readings
        assert standing is held
        if version is None:
            assert after > before
            assert known is None
        elif version == counted.version():
            assert after == before + (known is None)
            if known is held:
                break
    else:
        assert version is None, "somebody wrote all the time"


async def test_a_holder_is_known_until_she_lets_go(town: Town) -> None:
    """By her own word, by an erasure or since her device is another's: the log tells each."""
    (sold, listener), (other, second) = await town.ticket(), await town.ticket()
    ours = kept(town, monotonic=time.monotonic)
    hers, others = who(town, listener), who(town, second)
    standing = await ours.held(hers, sold.correlation_id)
    assert standing.held_by(hers)
    assert not standing.held_by(others)
    with pytest.raises(TicketNotFoundError):
        await ours.held(others, sold.correlation_id)
    path = f"/tell/tickets/{sold.correlation_id}/claim"
    async with town.tell.delete(path, headers=bearer(listener)) as answer:
        assert answer.status == 204
    with pytest.raises(TicketNotFoundError):
        await ours.held(hers, sold.correlation_id)
    assert not standing.valid
    assert (await ours.standing(sold.correlation_id)).ticket.correlation_id == sold.correlation_id

    erased = await ours.held(others, other.correlation_id)
    async with town.tell.delete("/tell/listener", headers=bearer(second)) as answer:
        assert answer.status == 204
    with pytest.raises(TicketNotFoundError):
        await ours.held(others, other.correlation_id)
    assert not erased.valid
    with pytest.raises(TicketNotFoundError):
        await ours.standing(other.correlation_id)


async def test_tonights_tickets_are_read_at_the_start(town: Town) -> None:
    """Those that somebody holds, for what runs or begins soon; nobody has to ask for them."""
    tonight = await town.show(starts_in=30)
    sold = [await town.sell(tonight) for _ in range(3)]
    for each in sold:
        await town.is_enriched(each.correlation_id)
    listener, _ = [who(town, await town.claim(each)) for each in sold[:2]]
    later = await town.sell(await town.show(starts_in=26 * 3600))
    await town.is_enriched(later.correlation_id)
    await town.claim(later)
    assert town.tell.app is not None
    database = town.tell.app[keys.DATABASE]
    reads: list[Collection[str]] = []

    class Watched(Tickets):
        """Says what was read."""

        async def in_hands(self, correlation_ids: Collection[str]) -> list[Held]:
            reads.append(correlation_ids)
            return await super().in_hands(correlation_ids)

    ours = Entitlements(
        Watched(database),
        EventLog(database),
        poll_s=0.05,
        limit=10,
        clock=lambda: town.clock.now,
        ahead=timedelta(hours=12),
    )
    await ours.start()
    try:
        async with asyncio.timeout(PATIENCE_S):
            while len(ours) < 2:
                await ours.catch_up()
        assert [set(names) for names in reads] == [{each.correlation_id for each in sold[:2]}]
        standing = await ours.held(listener, sold[0].correlation_id)
        assert len(reads) == 1
        # What an event names is read again before anybody asks.
        await town.change_screening(tonight.showtime_id, status=ScreeningStatus.STARTED)
        async with asyncio.timeout(PATIENCE_S):
            while len(reads) < 2 or len(ours) < 2:
                await ours.catch_up()
        assert not standing.valid
        again = await ours.held(listener, sold[0].correlation_id)
        assert again.ticket.screening is not None
        assert again.ticket.screening.status is ScreeningStatus.STARTED
        assert len(reads) == 2
    finally:
        await ours.stop()


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
            Tickets(database),
            EventLog(database),
            poll_s=1.0,
            limit=10,
            clock=lambda: town.clock.now,
            monotonic=lambda: 0.0,
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
        clock=lambda: town.clock.now,
        monotonic=lambda: float(next(seconds)),
    )
    async with asyncio.timeout(PATIENCE_S):
        standings = await asyncio.gather(*(ours.standing(sold.correlation_id) for _ in range(20)))
    assert {each.ticket.correlation_id for each in standings} == {sold.correlation_id}
