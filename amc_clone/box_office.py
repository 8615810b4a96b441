"""Selling tickets: the sale and the message about it are one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from amc_clone.announcer import Announcer
from amc_clone.database import Database, insert_row
from amc_clone.errors import (
    PurchaseNotFoundError,
    ScreeningCancelledError,
    ScreeningEndedError,
)
from amc_clone.identifiers import new_purchase_id
from amc_clone.messages import tell_of_purchase
from amc_clone.models import DeliveryState, Purchase, Screening
from amc_clone.rows import purchase_of, select_purchases
from amc_clone.schema import purchases
from amc_clone.screenings import screening_by_showtime
from amc_clone.timeline import Phase, standing


class BoxOffice:
    """Sells tickets and shows them. *on_sale* is called when a message waits in the outbox."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        changes: Announcer,
        on_sale: Callable[[], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._changes = changes
        self._on_sale = on_sale

    async def sell(self, showtime_id: str) -> Purchase:
        """Sell one ticket, to latecomers too.

        Raises ScreeningNotFoundError, ScreeningEndedError, ScreeningCancelledError.
        """
        purchase_id = new_purchase_id()
        now = self._clock()
        async with self._database.write() as connection:
            screening = await screening_by_showtime(connection, showtime_id)
            _require_on_sale(screening, now)
            sold = await insert_row(
                connection,
                purchases,
                purchase_id=purchase_id,
                screening_id=screening.id,
                purchased_at=now,
            )
            await tell_of_purchase(connection, purchase_id, sold, screening, now)
        self._on_sale()
        return await self.purchase(purchase_id)

    async def purchase(self, purchase_id: str) -> Purchase:
        """The purchase as it stands; raises PurchaseNotFoundError."""
        async with self._database.read() as connection:
            row = (
                await connection.execute(
                    select_purchases().where(purchases.c.purchase_id == purchase_id)
                )
            ).one_or_none()
        if row is None:
            raise PurchaseNotFoundError
        return purchase_of(row)

    async def settled(self, purchase_id: str, wait_s: float) -> Purchase:
        """The purchase as soon as Tell has answered, or as it stands after *wait_s* seconds.

        Raises PurchaseNotFoundError.
        """
        try:
            async with asyncio.timeout(wait_s):
                while True:
                    # Taken before the look: an answer between the two is not missed.
                    change = self._changes.next_change()
                    purchase = await self.purchase(purchase_id)
                    if purchase.delivery.state is not DeliveryState.PENDING:
                        return purchase
                    if self._changes.closed:
                        return purchase
                    await change.wait()
        except TimeoutError:
            return await self.purchase(purchase_id)


def _require_on_sale(screening: Screening, now: datetime) -> None:
    phase = standing(screening, now).phase
    if phase is Phase.CANCELLED:
        raise ScreeningCancelledError(screening.showtime_id)
    if phase is Phase.ENDED:
        raise ScreeningEndedError(screening.showtime_id, screening.credits_end)
