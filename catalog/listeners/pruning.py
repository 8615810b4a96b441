"""Pruning: what is older than it needs to be is erased, once a day, by one replica."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

import structlog
from sqlalchemy import and_, delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.enrichment.look_ups import OPEN
from catalog.listeners.privacy import erase_idle_listeners, erase_purchases, told_count
from catalog.models import PurchaseState
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
# Since the sale. A ticket sold in advance may be parked for months before its film, and is nobody's
# to throw away; no cinema sells more than a year ahead.
PARKED_FLOOR = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class KeepRules:
    """For how long what is kept: *tickets* after the end of their screening.

    A purchase that is still looked up is kept until it is a ticket, however old it is; one that is
    parked for a person for PARKED_FLOOR at least.

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
        tickets += await self._prune_parked(now - max(self._rules.tickets, PARKED_FLOOR))
        # After the tickets: their listeners may hold none now.
        idle = await self._all(partial(_prune_listeners, now - _LISTENER_REST))
        pruned = Pruned(
            tickets=tickets,
            listeners=idle,
            screenings=await self._all(partial(_prune_screenings, old)),
            messages=await self._all(partial(_prune_messages, forgotten)),
            cancellations=await self._all(partial(_prune_cancellations, forgotten)),
        )
        # A log is read by many: one who went is nobody's business.
        log.info("pruned", **{name: told_count(rows) for name, rows in asdict(pruned).items()})
        return pruned

    async def _prune_parked(self, before: datetime) -> int:
        """Erase what nobody has looked after since then, and say of each that it was lost."""
        erased = 0
        while gone := await self._database.run(partial(_erase_parked, before)):
            for each in gone:
                log.error("parked_purchase_pruned", **each._asdict())
            erased += len(gone)
        return erased

    async def _all(self, some: Callable[[AsyncConnection], Awaitable[int]]) -> int:
        """Run *some* until nothing is left to erase; how many it erased."""
        erased = 0
        while gone := await self._database.run(some):
            erased += gone
        return erased


async def _prune_purchases(before: datetime, connection: AsyncConnection) -> int:
    """By the screening's end; by the sale where it was cancelled before that was known."""
    rows = await connection.scalars(
        select(purchases.c.id)
        .outerjoin(screenings, screenings.c.id == purchases.c.screening_id)
        .where(purchases.c.state.not_in(OPEN))
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


class _Lost(NamedTuple):
    correlation_id: str
    environment: str
    showtime_id: str
    accepted_at: str
    failure_code: str | None


async def _erase_parked(before: datetime, connection: AsyncConnection) -> list[_Lost]:
    found = (
        await connection.execute(
            select(
                purchases.c.id,
                purchases.c.correlation_id,
                purchases.c.environment,
                purchases.c.showtime_id,
                purchases.c.accepted_at,
                purchases.c.failure_code,
            )
            .where(purchases.c.state == PurchaseState.PARKED)
            .where(purchases.c.accepted_at < before)
            .limit(_AT_ONCE)
            # `tell purchases retry` may be setting it free.
            .with_for_update()
        )
    ).all()
    await erase_purchases(connection, [row.id for row in found])
    return [
        _Lost(
            row.correlation_id,
            row.environment,
            row.showtime_id,
            row.accepted_at.isoformat(),
            row.failure_code,
        )
        for row in found
    ]


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
