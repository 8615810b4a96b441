"""How much is still to be done: purchases that are no ticket yet, by environment and state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from catalog.enrichment.look_ups import OPEN
from catalog.models import PurchaseState
from catalog.store.database import Database
from catalog.store.schema import purchases


@dataclass(frozen=True, slots=True)
class Pile:
    """Purchases of one environment in one state; the first of them was accepted at `oldest_at`."""

    environment: str
    state: PurchaseState
    purchases: int
    oldest_at: datetime


class Backlog:
    """Counts what waits. All methods raise DatabaseError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def piles(self) -> list[Pile]:
        """What waits for the partner (accepted) or for a person (parked); nothing is no pile."""
        query = (
            select(
                purchases.c.environment,
                purchases.c.state,
                func.count(),
                func.min(purchases.c.accepted_at),
            )
            .where(purchases.c.state.in_(OPEN))
            .group_by(purchases.c.environment, purchases.c.state)
            .order_by(purchases.c.environment, purchases.c.state)
        )
        async with self._database.read(stale_ok=True) as connection:
            return [Pile(*row) for row in await connection.execute(query)]
