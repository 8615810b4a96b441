"""Forgetting: everything of a listener or of a ticket, at once and for good; and what counts show.

Somebody who holds a ticket with audio description can be taken for blind. So a count of people
below three is not told to anybody: in a small auditorium it would name a person.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.listeners.events import append_events, release_draft
from catalog.purchases.naming import named_purchases
from catalog.store.database import Database
from catalog.store.schema import claims, events, listeners, playback_states, purchases

log = structlog.get_logger()

_TOLD_FROM = 3


def told_count(count: int) -> str:
    """A count of people or tickets as an operator may read it: "<3" below three, none too."""
    return str(count) if count >= _TOLD_FROM else f"<{_TOLD_FROM}"


def told_number(count: int) -> int:
    """The same where only a number can stand, as in a metric: 0 stands for "<3"."""
    return count if count >= _TOLD_FROM else 0


def told_total(counts: Collection[int], rooms: int) -> int:
    """How many people are in all *rooms* together, so that subtracting finds nobody.

    *counts* has those of the rooms in which somebody is. Rooms of three and more are told one by
    one (`told_number`). The others are added only where each of them alone could still be empty.
    """
    told = sum(count for count in counts if count >= _TOLD_FROM)
    hidden = sum(counts) - told
    hidden_rooms = max(rooms, len(counts)) - sum(count >= _TOLD_FROM for count in counts)
    fit_without_one = (hidden_rooms - 1) * (_TOLD_FROM - 1)
    return told + hidden if _TOLD_FROM <= hidden <= fit_without_one else told


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many `tickets` were erased, and how many are `kept` since others hold them too."""

    tickets: int
    kept: int


class Privacy:
    """Erases. All methods raise DatabaseError, and then nothing was erased."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def forget_listener(self, listener_id: str) -> Forgotten:
        """Erase the listener, her claims and playback states, and tickets that nobody else holds.

        A listener who is not there is forgotten already.
        """

        async def forget(connection: AsyncConnection) -> Forgotten:
            return await _erase_listener(connection, listener_id, self._clock())

        forgotten = await self._database.run(forget)
        # Without the id: a log is kept longer than a listener is. Few hold three tickets and more.
        log.info(
            "listener_forgotten",
            tickets=told_count(forgotten.tickets),
            kept=told_count(forgotten.kept),
        )
        return forgotten

    async def forget_purchase(self, wanted: str, environment: str | None = None) -> int:
        """Erase the purchase with that correlation id or purchase_id, whoever holds it; how many.

        Listeners who hold nothing more are erased too. Raises PurchaseNotFoundError,
        PurchaseAmbiguousError where it could be one of several environments.
        """

        async def forget(connection: AsyncConnection) -> int:
            found = await named_purchases(connection, wanted, environment, purchases.c.id)
            rows = [row.id for row in found]
            holders = set(
                await connection.scalars(
                    select(claims.c.listener_id).where(claims.c.purchase_id.in_(rows))
                )
            )
            await erase_purchases(connection, rows)
            await erase_idle_listeners(connection, holders)
            await _tell_replicas(connection, rows, self._clock())
            return len(rows)

        erased = await self._database.run(forget)
        log.info("purchase_forgotten")
        return erased


async def erase_purchases(connection: AsyncConnection, rows: Collection[int]) -> None:
    """Erase purchases with all that points at them."""
    for table in (playback_states, claims, events):
        await connection.execute(delete(table).where(table.c.purchase_id.in_(rows)))
    await connection.execute(delete(purchases).where(purchases.c.id.in_(rows)))


async def erase_idle_listeners(connection: AsyncConnection, listener_ids: Collection[str]) -> int:
    """Erase those of the listeners that hold no ticket; how many."""
    busy = set(
        await connection.scalars(
            select(claims.c.listener_id).where(claims.c.listener_id.in_(listener_ids))
        )
    )
    idle = [listener_id for listener_id in listener_ids if listener_id not in busy]
    await connection.execute(delete(playback_states).where(playback_states.c.listener_id.in_(idle)))
    # She may have been the first to claim a ticket that another holds by now.
    await connection.execute(
        update(purchases).where(purchases.c.user_id.in_(idle)).values(user_id=None)
    )
    erased = await connection.execute(delete(listeners).where(listeners.c.id.in_(idle)))
    return erased.rowcount


async def _tell_replicas(connection: AsyncConnection, rows: Collection[int], now: datetime) -> None:
    """Have those purchases looked up again by who knows them: rows of nothing, or of others."""
    await append_events(connection, [release_draft(row) for row in sorted(rows)], now)


async def _erase_listener(
    connection: AsyncConnection, listener_id: str, now: datetime
) -> Forgotten:
    held = set(
        await connection.scalars(
            select(claims.c.purchase_id).where(claims.c.listener_id == listener_id)
        )
    )
    # A ticket that she let go of and nobody took up is hers still.
    held |= set(
        await connection.scalars(
            select(purchases.c.id).where(purchases.c.user_id == listener_id).with_for_update()
        )
    )
    shared = set(
        await connection.scalars(
            select(claims.c.purchase_id)
            .where(claims.c.purchase_id.in_(held))
            .where(claims.c.listener_id != listener_id)
        )
    )
    await connection.execute(delete(claims).where(claims.c.listener_id == listener_id))
    await erase_purchases(connection, held - shared)
    await erase_idle_listeners(connection, [listener_id])
    await _tell_replicas(connection, held, now)
    return Forgotten(len(held - shared), len(shared))
