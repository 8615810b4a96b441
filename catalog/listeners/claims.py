"""Who may listen with a ticket: devices take a purchase up, and can let it go.

A listener is a random id and nothing else. A device that claims without being a listener becomes a
new one; the purchase's user_id is the listener of its first claim.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.errors import DeviceLimitError, TicketNotFoundError
from catalog.ids import new_listener_id
from catalog.listeners.events import append_events, release_draft
from catalog.store.database import Database
from catalog.store.schema import claims, listeners, purchases

log = structlog.get_logger()


class Claims:
    """Claims of at most *devices_per_purchase* devices on each purchase."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        *,
        devices_per_purchase: int,
    ) -> None:
        self._database = database
        self._clock = clock
        self._devices_per_purchase = devices_per_purchase

    async def claim(self, correlation_id: str, device_nonce: str, listener_id: str | None) -> str:
        """Let the device listen; returns its listener id.

        *listener_id* is who the device is already, if anyone: the ticket is added to that listener.
        A device that comes again keeps its place, and its listener unless it is another by now.
        Raises TicketNotFoundError, DeviceLimitError.
        """
        listener, changed = await self._database.run(
            lambda connection: self._claim(connection, correlation_id, device_nonce, listener_id)
        )
        if changed:
            log.info("purchase_claimed", correlation_id=correlation_id)
        return listener

    async def release(self, listener_id: str, correlation_id: str) -> None:
        """Take the ticket away from the listener's devices, and make room for others.

        Raises TicketNotFoundError.
        """

        async def take_away(connection: AsyncConnection) -> None:
            purchase = await connection.scalar(
                select(purchases.c.id).where(purchases.c.correlation_id == correlation_id)
            )
            released = await connection.execute(
                delete(claims)
                .where(claims.c.listener_id == listener_id)
                .where(claims.c.purchase_id == purchase)
            )
            if purchase is None or released.rowcount == 0:
                raise TicketNotFoundError(correlation_id)
            # Replicas that know her as a holder look at the log.
            await append_events(connection, [release_draft(purchase)], self._clock())

        await self._database.run(take_away)
        log.info("purchase_released", correlation_id=correlation_id)

    async def _claim(
        self,
        connection: AsyncConnection,
        correlation_id: str,
        device_nonce: str,
        listener_id: str | None,
    ) -> tuple[str, bool]:
        """The listener id, and whether anything was changed. The purchase's row is locked."""
        purchase = (
            await connection.execute(
                select(purchases.c.id, purchases.c.user_id)
                .where(purchases.c.correlation_id == correlation_id)
                .with_for_update()
            )
        ).one_or_none()
        if purchase is None:
            raise TicketNotFoundError(correlation_id)
        this_device = (
            claims.c.purchase_id == purchase.id,
            claims.c.device_nonce == device_nonce,
        )
        holder = (
            await connection.execute(select(claims.c.listener_id).where(*this_device))
        ).scalar_one_or_none()
        if holder is not None and listener_id in {None, holder}:
            return str(holder), False
        if holder is None:
            await self._check_devices(connection, purchase.id, correlation_id)
        listener = await self._listener(connection, listener_id)
        if holder is None:
            await connection.execute(
                insert(claims).values(
                    purchase_id=purchase.id,
                    listener_id=listener,
                    device_nonce=device_nonce,
                    claimed_at=self._clock(),
                )
            )
        else:
            await connection.execute(
                update(claims).where(*this_device).values(listener_id=listener)
            )
        if purchase.user_id is None:
            await connection.execute(
                update(purchases).where(purchases.c.id == purchase.id).values(user_id=listener)
            )
        if holder is not None:
            await append_events(connection, [release_draft(purchase.id)], self._clock())
        return listener, True

    async def _check_devices(
        self, connection: AsyncConnection, purchase_row: int, correlation_id: str
    ) -> None:
        devices = (
            await connection.execute(
                select(func.count()).select_from(claims).where(claims.c.purchase_id == purchase_row)
            )
        ).scalar_one()
        if devices >= self._devices_per_purchase:
            raise DeviceLimitError(correlation_id, self._devices_per_purchase)

    async def _listener(self, connection: AsyncConnection, listener_id: str | None) -> str:
        """The listener of that id; a new one where there is none (she may have been forgotten)."""
        if listener_id is not None:
            known = await connection.execute(
                select(listeners.c.id).where(listeners.c.id == listener_id)
            )
            if known.scalar_one_or_none() is not None:
                return listener_id
        fresh = new_listener_id()
        await connection.execute(insert(listeners).values(id=fresh, created_at=self._clock()))
        return fresh
