"""Pruning: what is older than it needs to be is erased, once a day, by one replica."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import and_, delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.listeners.privacy import erase_idle_listeners, erase_purchases
from catalog.store.database import Database
from catalog.store.schema import (
    claims,
    events,
    listeners,
    movie_starts,
    purchase_cancellations,
    purchases,
    screenings,
    webhook_messages,
)

log = structlog.get_logger()

# A transaction that erases more would keep buyers waiting.
_AT_ONCE = 200
# Between the row of a new listener and that of her first claim lie milliseconds.
_LISTENER_REST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class KeepRules:
    """For how long what is kept: *tickets* after the end of their screening.

    *messages*: the ids of webhook messages, by which one that comes again is known, and
    cancellations that came without their purchase.
    """

    tickets: timedelta
    messages: timedelta


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many of each were erased."""

    tickets: int
    listeners: int
    screenings: int
    messages: int
    cancellations: int


class Pruning:
    """Erases what is too old. Raises DatabaseError; what was erased by then stays so."""

    def __init__(self, database: Database, clock: Callable[[], datetime], rules: KeepRules) -> None:
        self._database = database
        self._clock = clock
        self._rules = rules

    async def prune(self) -> Pruned:
        """Erase all of it, a few hundred rows in a transaction."""
        now = self._clock()
        old = now - self._rules.tickets
        forgotten = now - self._rules.messages
        tickets = await self._all(partial(_prune_purchases, old))
        # After the tickets: their listeners may hold none now.
        idle = await self._all(partial(_prune_listeners, now - _LISTENER_REST))
        pruned = Pruned(
            tickets=tickets,
            listeners=idle,
            screenings=await self._all(partial(_prune_screenings, old)),
            messages=await self._all(partial(_prune_messages, forgotten)),
            cancellations=await self._all(partial(_prune_cancellations, forgotten)),
        )
        log.info("pruned", **asdict(pruned))
        return pruned

    async def _all(self, some: Callable[[AsyncConnection], Awaitable[int]]) -> int:
        """Run *some* until nothing is left to erase; how many it erased."""
        erased = 0
        while gone := await self._database.run(some):
            erased += gone
        return erased


async def _prune_purchases(before: datetime, connection: AsyncConnection) -> int:
    """By the screening's end; by the sale where the screening was never known."""
    rows = await connection.scalars(
        select(purchases.c.id)
        .outerjoin(screenings, screenings.c.id == purchases.c.screening_id)
        .where(
            or_(
                screenings.c.credits_end < before,
                and_(purchases.c.screening_id.is_(None), purchases.c.accepted_at < before),
            )
        )
        .limit(_AT_ONCE)
    )
    found = list(rows)
    await erase_purchases(connection, found)
    return len(found)


async def _prune_listeners(before: datetime, connection: AsyncConnection) -> int:
    rows = await connection.scalars(
        select(listeners.c.id)
        .where(listeners.c.created_at < before)
        .where(~exists().where(claims.c.listener_id == listeners.c.id))
        .limit(_AT_ONCE)
    )
    return await erase_idle_listeners(connection, list(rows))


async def _prune_screenings(before: datetime, connection: AsyncConnection) -> int:
    """Those that nobody holds a ticket for, with the history of their start."""
    rows = await connection.scalars(
        select(screenings.c.id)
        .where(screenings.c.credits_end < before)
        .where(~exists().where(purchases.c.screening_id == screenings.c.id))
        .limit(_AT_ONCE)
    )
    found = list(rows)
    for table in (movie_starts, events):
        await connection.execute(delete(table).where(table.c.screening_id.in_(found)))
    await connection.execute(delete(screenings).where(screenings.c.id.in_(found)))
    return len(found)


async def _prune_messages(before: datetime, connection: AsyncConnection) -> int:
    old = select(webhook_messages.c.id).where(webhook_messages.c.received_at < before)
    found = list(await connection.scalars(old.limit(_AT_ONCE)))
    await connection.execute(delete(webhook_messages).where(webhook_messages.c.id.in_(found)))
    return len(found)


async def _prune_cancellations(before: datetime, connection: AsyncConnection) -> int:
    erased = await connection.execute(
        delete(purchase_cancellations).where(purchase_cancellations.c.cancelled_at < before)
    )
    return erased.rowcount
