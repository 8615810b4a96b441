"""Operators' sessions that were ended before their time."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from catalog.ended_sessions import EndedSessions
from catalog.store.database import Database
from catalog.store.schema import ended_sessions
from tests.catalog.samples import Clock

LIFE = timedelta(hours=12)
ONE, OTHER = "1" * 64, "2" * 64


async def count(database: Database) -> int:
    """Rows of the table."""
    async with database.read() as connection:
        rows: int = (
            await connection.execute(select(func.count()).select_from(ended_sessions))
        ).scalar_one()
    return rows


async def test_one_that_was_ended_is_known_everywhere(database: Database, clock: Clock) -> None:
    """By another replica too, and no other session with it; to end it again changes nothing."""
    here, there = EndedSessions(database, clock), EndedSessions(database, clock)
    assert not await there.has(ONE)
    for _ in range(2):
        await here.end(ONE, clock() + LIFE)
        assert await there.has(ONE)
        assert not await there.has(OTHER)
    assert await count(database) == 1


async def test_none_is_kept_beyond_its_time(database: Database, clock: Clock) -> None:
    """The next that is ended takes those with it that would be over anyway."""
    sessions = EndedSessions(database, clock)
    await sessions.end(ONE, clock() + LIFE)
    clock.move(seconds=LIFE.total_seconds() - 1)
    await sessions.end(OTHER, clock() + LIFE)
    assert await count(database) == 2
    clock.move(seconds=1)
    await sessions.end(OTHER, clock() + LIFE)
    assert await sessions.has(OTHER)
    assert not await sessions.has(ONE)
    assert await count(database) == 1
