"""The log of what listeners are told."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from catalog.listeners.events import EventDraft, EventLog, Span, append_events
from catalog.models import EventKind
from catalog.store.database import Database
from tests.catalog.samples import EVENING

CHANGED = EventDraft(EventKind.SCREENING_CHANGED, detail={"why": "a test"})


async def write(database: Database, count: int = 1, *, after: timedelta = timedelta(0)) -> None:
    """Append events in one transaction."""
    async with database.write() as connection:
        await append_events(connection, [CHANGED] * count, EVENING + after)


async def test_ids_grow_by_one_and_are_read_in_order(database: Database) -> None:
    """Also over several transactions; what was seen is not read again."""
    log = EventLog(database)
    assert await log.span() == Span(1, 0)
    await write(database, 2)
    await write(database)
    assert [event.id for event in await log.after(0, 10)] == [1, 2, 3]
    (last,) = await log.after(2, 10)
    assert (last.id, last.kind, last.at) == (3, EventKind.SCREENING_CHANGED, EVENING)
    assert last.detail == {"why": "a test"}
    assert [event.id for event in await log.after(0, 2)] == [1, 2]
    assert await log.span() == Span(1, 3)


async def test_a_transaction_that_fails_takes_no_id(database: Database) -> None:
    """A gap would look like a lost event."""

    async def fail() -> None:
        async with database.write() as connection:
            await append_events(connection, [CHANGED], EVENING)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    await write(database)
    assert [event.id for event in await EventLog(database).after(0, 10)] == [1]


async def test_writers_at_once_become_visible_in_the_order_of_their_ids(
    database: Database,
) -> None:
    """A reader that remembers the last one it saw misses none."""
    log, seen = EventLog(database), list[int]()
    writing = [asyncio.create_task(write(database)) for _ in range(20)]
    async with asyncio.timeout(20):
        while len(seen) < 20:
            seen += [event.id for event in await log.after(seen[-1] if seen else 0, 100)]
    await asyncio.gather(*writing)
    assert seen == list(range(1, 21))


async def test_the_old_are_pruned_and_the_span_says_so(database: Database) -> None:
    """Who saw the last one that is gone misses nothing; who saw less does."""
    log = EventLog(database)
    await write(database, 3)
    await write(database, 2, after=timedelta(hours=1))
    assert await log.prune(EVENING + timedelta(minutes=1)) == 3
    span = await log.span()
    assert span == Span(4, 5)
    assert [span.reaches(last_seen) for last_seen in (2, 3, 5, 6)] == [False, True, True, False]
    assert await log.prune(EVENING + timedelta(hours=2)) == 2
    span = await log.span()
    assert (span.reaches(4), span.reaches(5)) == (False, True)
