"""Leases: what only one replica does at a time, such as polling the partner or pruning.

The database is what all replicas share, so a lease is a row in it. A holder that dies keeps it
until it expires. The replicas' clocks are trusted to agree to much less than the time to live: a
lease spares work that is done twice, and what it guards must be harmless when it is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.store.database import Database
from catalog.store.schema import leases


class Lease:
    """The lease called *name*, as *holder* (one word for each process) may have it for *ttl*.

    Neither is longer than 64 characters.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        name: str,
        holder: str,
        ttl: timedelta,
    ) -> None:
        self._database = database
        self._clock = clock
        self._name = name
        self._holder = holder
        self._ttl = ttl

    async def acquire(self) -> bool:
        """Take the lease where it is free, expired or ours already; whether we have it now.

        Raises DatabaseError.
        """
        now = self._clock()
        mine = {"holder": self._holder, "expires_at": now + self._ttl}

        async def take(connection: AsyncConnection) -> bool:
            taken = await connection.execute(
                update(leases)
                .where(leases.c.name == self._name)
                .where(or_(leases.c.holder == self._holder, leases.c.expires_at <= now))
                .values(mine)
            )
            if taken.rowcount:
                return True
            held = await connection.execute(
                select(leases.c.name).where(leases.c.name == self._name)
            )
            if held.scalar_one_or_none() is not None:
                return False
            # Where another replica is first, this runs again and finds its row.
            await connection.execute(insert(leases).values(name=self._name, **mine))
            return True

        return await self._database.run(take)

    async def renew(self) -> bool:
        """Hold it for another *ttl*; False where it expired and another has it. DatabaseError."""
        return await self.acquire()

    async def release(self) -> None:
        """Let another have it at once; nothing where it is not ours. Raises DatabaseError."""

        async def give_up(connection: AsyncConnection) -> None:
            await connection.execute(
                delete(leases)
                .where(leases.c.name == self._name)
                .where(leases.c.holder == self._holder)
            )

        await self._database.run(give_up)
