"""Purchases that the partner takes back, in whichever order the two messages come."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.listeners.events import EventDraft, append_events
from catalog.models import EventKind, PurchaseState
from catalog.screenings.keeping import Outcome
from catalog.store.schema import purchase_cancellations, purchases


async def cancel_purchase(
    connection: AsyncConnection, environment: str, purchase_id: str, now: datetime
) -> Outcome:
    """Cancel a purchase, or remember that it is cancelled where it has not come yet (NEW).

    Remembered first: on MariaDB a purchase that comes at the same moment either sees that
    (`already_cancelled`) or is seen here.
    """
    told = purchase_cancellations.c
    known = await connection.scalar(
        select(told.purchase_id)
        .where(told.environment == environment, told.purchase_id == purchase_id)
        .with_for_update()
    )
    if known is None:
        await connection.execute(
            insert(purchase_cancellations).values(
                environment=environment, purchase_id=purchase_id, cancelled_at=now
            )
        )
    row = (
        await connection.execute(
            select(purchases.c.id, purchases.c.state)
            .where(purchases.c.environment == environment)
            .where(purchases.c.purchase_id == purchase_id)
            .with_for_update()
        )
    ).one_or_none()
    if row is None:
        return Outcome.KNOWN if known is not None else Outcome.NEW
    if row.state is PurchaseState.CANCELLED:
        return Outcome.KNOWN
    await connection.execute(
        update(purchases)
        .where(purchases.c.id == row.id)
        .values(state=PurchaseState.CANCELLED, cancelled_at=now)
    )
    await append_events(
        connection, [EventDraft(EventKind.TICKET_CANCELLED, purchase_id=row.id)], now
    )
    return Outcome.APPLIED


async def already_cancelled(
    connection: AsyncConnection, environment: str, purchase_ids: Collection[str], now: datetime
) -> list[str]:
    """Cancel those of just inserted purchases whose cancellation came before them; which.

    For the transaction that inserts them, after it has.
    """
    told = purchase_cancellations.c
    query = (
        select(told.purchase_id)
        .where(told.environment == environment, told.purchase_id.in_(purchase_ids))
        .with_for_update()
    )
    found = list(await connection.scalars(query))
    if found:
        await connection.execute(
            update(purchases)
            .where(purchases.c.environment == environment)
            .where(purchases.c.purchase_id.in_(found))
            .values(state=PurchaseState.CANCELLED, cancelled_at=now)
        )
    return found
