"""The operator's desk: changing a screening, or taking a ticket back, and telling Tell of it.

The change and the message about it are one transaction: Tell hears of what is true, and of all of
it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from amc_clone.changes import cancelled, delayed, moved, started
from amc_clone.database import Database
from amc_clone.errors import PurchaseNotFoundError
from amc_clone.messages import tell_of_cancellation, tell_of_screening
from amc_clone.models import STARTED_BOUND_MS, DeliveryState, Screening
from amc_clone.programming import auditorium_row, require_free
from amc_clone.schema import auditoriums, outbox, purchases, screenings, theaters
from amc_clone.screenings import screening_by_showtime


class OperatorDesk:
    """What the operator's page and API do. *on_message* is called when one waits in the outbox.

    The methods that change a screening return it as it is then, and raise ScreeningNotFoundError,
    ScreeningCancelledError and ScreeningEndedError.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        on_message: Callable[[], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._on_message = on_message

    async def start(self, showtime_id: str, bound_ms: int = STARTED_BOUND_MS) -> Screening:
        """The film begins now; the projection system knows it within *bound_ms*."""
        return await self._change(
            showtime_id, "screening.started", lambda each, now: started(each, now, bound_ms)
        )

    async def delay(self, showtime_id: str, by: timedelta) -> Screening:
        """The film begins later; also raises ScreeningStartedError."""
        return await self._change(
            showtime_id, "screening.updated", lambda each, now: delayed(each, by, now)
        )

    async def cancel(self, showtime_id: str) -> Screening:
        """It does not take place."""
        return await self._change(showtime_id, "screening.cancelled", cancelled)

    async def move(self, showtime_id: str, auditorium_number: str) -> Screening:
        """It takes place in another auditorium of the theater.

        Also raises AuditoriumNotFoundError, ScreeningOverlapError.
        """
        return await self._change(
            showtime_id,
            "screening.moved",
            lambda each, now: moved(each, auditorium_number, now),
        )

    async def cancel_purchase(self, purchase_id: str) -> None:
        """Take a ticket back; once more does nothing. Raises PurchaseNotFoundError."""
        now = self._clock()
        async with self._database.write() as connection:
            row = (
                await connection.execute(
                    select(purchases.c.id, purchases.c.cancelled_at).where(
                        purchases.c.purchase_id == purchase_id
                    )
                )
            ).one_or_none()
            if row is None:
                raise PurchaseNotFoundError
            if row.cancelled_at is not None:
                return
            await connection.execute(
                update(purchases).where(purchases.c.id == row.id).values(cancelled_at=now)
            )
            await tell_of_cancellation(connection, purchase_id, row.id, now)
        self._on_message()

    async def auditoriums(self, place_id: str) -> list[str]:
        """Numbers of a theater's auditoriums, as one counts."""
        query = (
            select(auditoriums.c.number)
            .join(theaters, auditoriums.c.location_id == theaters.c.id)
            .where(theaters.c.place_id == place_id)
        )
        async with self._database.read() as connection:
            numbers = list(await connection.scalars(query))
        return sorted(numbers, key=lambda number: (len(number), number))

    async def waiting(self) -> int:
        """How many messages have not reached Tell yet."""
        query = select(func.count()).where(outbox.c.state == DeliveryState.PENDING)
        async with self._database.read() as connection:
            return int(await connection.scalar(query) or 0)

    async def _change(
        self,
        showtime_id: str,
        event_type: str,
        change: Callable[[Screening, datetime], Screening],
    ) -> Screening:
        async with self._database.write() as connection:
            # Read within the transaction: what is pressed is stamped when it is done.
            now = self._clock()
            before = await screening_by_showtime(connection, showtime_id)
            after = change(before, now)
            await _store(connection, before, after)
            await tell_of_screening(connection, event_type, after, now)
        self._on_message()
        return after


async def _store(connection: AsyncConnection, before: Screening, after: Screening) -> None:
    values = {
        "previews_start": after.previews_start,
        "movie_start": after.movie_start,
        "credits_end": after.credits_end,
        "status": after.status,
        "revision": after.revision,
        "movie_start_bound_ms": after.movie_start_bound_ms,
    }
    if after.auditorium_number != before.auditorium_number:
        place_id = after.theater.place_id
        row_id = await auditorium_row(connection, place_id, after.auditorium_number)
        await require_free(connection, row_id, after.previews_start, after.credits_end)
        values["auditorium_id"] = row_id
    await connection.execute(
        update(screenings).where(screenings.c.id == before.id).values(**values)
    )
