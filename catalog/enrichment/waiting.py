"""The purchases that wait for the partner's word: who is next, and whose turn it is.

All of it is columns of `purchases`, so that a restart goes on where it stopped and several gateways
share the work: one that takes a look-up puts its purchases' next try off, and the others pass them
over. Where it dies, the try comes due again and another takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.enrichment.look_ups import KEY, OPEN, LookUp, failure
from catalog.errors import BreakerOpenError
from catalog.models import PurchaseState
from catalog.store.database import Database
from catalog.store.schema import Instant, purchases


class Waiting:
    """Reads and writes those columns. All methods raise DatabaseError."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def upcoming(
        self, environments: Collection[str], limit: int
    ) -> list[tuple[LookUp, datetime]]:
        """The look-ups of *environments* that are due first, with the instant; *limit* of them."""
        due_at = func.min(purchases.c.next_attempt_at).label("due_at")
        query = (
            select(*KEY, due_at)
            .where(purchases.c.state == PurchaseState.ACCEPTED)
            .where(purchases.c.environment.in_(list(environments)))
            .group_by(*KEY)
            .order_by(due_at)
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [(LookUp(*row[:-1]), row.due_at) for row in rows]

    async def claim(self, look_ups: Iterable[LookUp], until: datetime) -> list[LookUp]:
        """Those of *look_ups* that are ours until then: no other gateway had taken them."""
        now = self._clock()
        wanted = list(look_ups)

        async def claim(connection: AsyncConnection) -> list[LookUp]:
            claimed = []
            for look_up in wanted:
                # The condition is met by one gateway alone: who comes second finds no row due.
                taken = await connection.execute(
                    update(purchases)
                    .where(*look_up.waiting(PurchaseState.ACCEPTED))
                    .where(purchases.c.next_attempt_at <= now)
                    .values(next_attempt_at=until)
                )
                if taken.rowcount:
                    claimed.append(look_up)
            return claimed

        return await self._database.run(claim)

    async def give_back(self, claimed: Mapping[LookUp, datetime]) -> None:
        """Let others take what we have claimed until then and not asked."""
        now = self._clock()
        async with self._database.write() as connection:
            for look_up, until in claimed.items():
                await connection.execute(
                    update(purchases)
                    .where(*look_up.waiting(PurchaseState.ACCEPTED))
                    .where(purchases.c.next_attempt_at == until)
                    .values(next_attempt_at=now)
                )

    async def sold_at(self, look_up: LookUp) -> datetime | None:
        """When the first of its tickets was sold; None where nobody waits any more."""
        query = select(purchases.c.purchased_at).where(*look_up.waiting(*OPEN))
        async with self._database.read() as connection:
            return min(await connection.scalars(query), default=None)

    async def traceparent(self, look_up: LookUp) -> str | None:
        """The trace of the first of its purchases that came with one."""
        query = (
            select(purchases.c.traceparent)
            .where(*look_up.waiting(*OPEN))
            .where(purchases.c.traceparent.is_not(None))
            .order_by(purchases.c.id)
            .limit(1)
        )
        async with self._database.read() as connection:
            found: str | None = await connection.scalar(query)
            return found

    async def hold(self, look_up: LookUp, error: BreakerOpenError, until: datetime) -> None:
        """Nobody asked: those claimed *until* then come back when somebody may; no failure."""
        now = self._clock()
        async with self._database.write() as connection:
            await connection.execute(
                update(purchases)
                .where(*look_up.waiting(PurchaseState.ACCEPTED))
                .where(purchases.c.next_attempt_at <= until)
                .values(
                    next_attempt_at=error.retry_at,
                    failing_since=func.coalesce(purchases.c.failing_since, literal(now, Instant())),
                    **failure(error),
                )
            )

    async def resume(self, environment: str) -> None:
        """The partner is back: those who were only held are due now."""
        async with self._database.write() as connection:
            await connection.execute(
                update(purchases)
                .where(purchases.c.state == PurchaseState.ACCEPTED)
                .where(purchases.c.environment == environment)
                .where(purchases.c.failure_code == BreakerOpenError.code)
                .values(next_attempt_at=self._clock())
            )
