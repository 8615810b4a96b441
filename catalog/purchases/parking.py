"""What an operator sees of purchases that are not tickets yet, and how she has them tried again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.enrichment.look_ups import OPEN
from catalog.errors import NothingToRetryError
from catalog.models import PurchaseState
from catalog.purchases.naming import named_purchases
from catalog.store.database import Database
from catalog.store.schema import purchases

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PurchaseStanding:
    """How far a purchase has come. `next_attempt_at` says nothing of one that does not wait.

    `failing_since` is since when the look-ups have failed for the reason that `failure_code` names.
    """

    correlation_id: str
    environment: str
    purchase_id: str
    movie_id: str
    place_id: str
    auditorium_number: str
    showtime_id: str
    purchased_at: datetime
    accepted_at: datetime
    state: PurchaseState
    attempts: int
    next_attempt_at: datetime
    failure_code: str | None
    failure_detail: str | None
    failing_since: datetime | None


_COLUMNS = tuple(purchases.c[name] for name in PurchaseStanding.__dataclass_fields__)


class Parking:
    """Lists purchases and sets parked ones free. All methods raise DatabaseError."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def standings(
        self,
        state: PurchaseState | None = None,
        environment: str | None = None,
        *,
        limit: int = 100,
    ) -> list[PurchaseStanding]:
        """The oldest *limit* purchases in *state*; without one all that are no ticket yet."""
        states = OPEN if state is None else (state,)
        query = (
            select(*_COLUMNS)
            .where(purchases.c.state.in_(states))
            .order_by(purchases.c.accepted_at, purchases.c.id)
            .limit(limit)
        )
        if environment is not None:
            query = query.where(purchases.c.environment == environment)
        async with self._database.read() as connection:
            return [PurchaseStanding(*row) for row in await connection.execute(query)]

    async def retry(self, wanted: str, environment: str | None = None) -> list[str]:
        """Have the purchase looked up again now, as if it were new; returns correlation ids.

        *wanted* is a correlation id, or a purchase_id of the partner's. Raises
        PurchaseNotFoundError, PurchaseAmbiguousError where it could be one of several environments,
        NothingToRetryError.
        """

        async def retry(connection: AsyncConnection) -> list[str]:
            found = await named_purchases(
                connection, wanted, environment, purchases.c.correlation_id, purchases.c.state
            )
            freed = [row.correlation_id for row in found if row.state in OPEN]
            if not freed:
                raise NothingToRetryError(wanted, found[0].state.value)
            await self._free(connection, freed)
            return freed

        return _told(await self._database.run(retry))

    async def retry_all(self, environment: str | None = None) -> list[str]:
        """The same for every parked purchase."""
        query = select(purchases.c.correlation_id).where(purchases.c.state == PurchaseState.PARKED)
        if environment is not None:
            query = query.where(purchases.c.environment == environment)

        async def retry_all(connection: AsyncConnection) -> list[str]:
            parked = list(await connection.scalars(query.with_for_update()))
            if parked:
                await self._free(connection, parked)
            return parked

        return _told(await self._database.run(retry_all))

    async def _free(self, connection: AsyncConnection, correlation_ids: list[str]) -> None:
        await connection.execute(
            update(purchases)
            .where(purchases.c.correlation_id.in_(correlation_ids))
            .values(
                state=PurchaseState.ACCEPTED,
                attempts=0,
                next_attempt_at=self._clock(),
                # The partner gets its whole time again. What was wrong stands until it answers.
                failing_since=None,
            )
        )


def _told(correlation_ids: list[str]) -> list[str]:
    for correlation_id in correlation_ids:
        log.info("purchase_retried", correlation_id=correlation_id)
    return correlation_ids
