"""Operators' sessions that were ended before their time: in the database, for all replicas."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.store.database import Database
from catalog.store.schema import ended_sessions


class EndedSessions:
    """Ends sessions, and knows those that were. All methods raise DatabaseError."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def end(self, session: str, expires_at: datetime) -> None:
        """End the session of that name (64 characters at most); to end it again changes nothing.

        What would be over at `expires_at` anyway is kept no longer than that.
        """
        now = self._clock()

        async def keep(connection: AsyncConnection) -> None:
            await connection.execute(
                delete(ended_sessions).where(ended_sessions.c.expires_at <= now)
            )
            mine = ended_sessions.c.session == session
            if await connection.scalar(select(ended_sessions.c.session).where(mine)) is None:
                await connection.execute(
                    insert(ended_sessions).values(session=session, expires_at=expires_at)
                )

        await self._database.run(keep)

    async def has(self, session: str) -> bool:
        """Whether that session was ended, by whichever replica."""
        query = select(ended_sessions.c.session).where(ended_sessions.c.session == session)
        return bool(await self._database.rows(query))
