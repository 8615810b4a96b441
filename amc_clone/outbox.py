"""The outbox's worker: brings each message to Tell at least once, however long Tell is away."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select, update

from amc_clone.announcer import Announcer
from amc_clone.backoff import Backoff
from amc_clone.database import Database
from amc_clone.errors import DatabaseError, TellRefusedError, TellUnavailableError
from amc_clone.models import DeliveryState, Message
from amc_clone.rows import message_of
from amc_clone.schema import outbox, purchases
from amc_clone.tell_client import Acceptance, TellClient

# So many messages are on their way at once: a slow answer holds up no other sale.
_CONCURRENCY = 8
# A wait ends after so long in any case, as the clock may have been set.
_LONGEST_WAIT_S = 60.0
_AFTER_DATABASE_ERROR_S = 1.0

_log = structlog.get_logger(__name__)


class Outbox:
    """Sends what is due and keeps what came of it in the database, so that a restart goes on.

    `wake` makes it look at once; *changes* announces what came of each try.
    """

    def __init__(
        self,
        database: Database,
        tell: TellClient,
        clock: Callable[[], datetime],
        changes: Announcer,
        backoff: Backoff,
        dice: random.Random,
    ) -> None:
        self._database = database
        self._tell = tell
        self._clock = clock
        self._changes = changes
        self._backoff = backoff
        self._dice = dice
        self._wake = asyncio.Event()
        self._in_flight: set[int] = set()
        self._worker: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to send, with what an earlier run left."""
        self._worker = asyncio.create_task(self._run(), name="outbox")

    async def stop(self) -> None:
        """Stop sending; what is on its way is tried again after the next start."""
        if self._worker is not None:
            self._worker.cancel()
            with suppress(asyncio.CancelledError):
                await self._worker
            self._worker = None

    def wake(self) -> None:
        """Look for due messages now."""
        self._wake.set()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as sending:
            while True:
                self._wake.clear()
                wait_s = _AFTER_DATABASE_ERROR_S
                try:
                    for message in await self._due():
                        self._in_flight.add(message.id)
                        sending.create_task(self._send(message))
                    wait_s = await self._wait_s()
                except DatabaseError as error:
                    _log.error("outbox.unreadable", error=str(error))
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._wake.wait()

    async def _due(self) -> list[Message]:
        free = _CONCURRENCY - len(self._in_flight)
        if free <= 0:
            return []
        query = (
            select(outbox)
            .where(
                outbox.c.state == DeliveryState.PENDING,
                outbox.c.next_attempt_at <= self._clock(),
                outbox.c.id.not_in(self._in_flight),
            )
            .order_by(outbox.c.next_attempt_at, outbox.c.id)
            .limit(free)
        )
        async with self._database.read() as connection:
            return [message_of(row) for row in await connection.execute(query)]

    async def _wait_s(self) -> float:
        """Seconds until the next message is due. One in flight wakes the worker when it is done."""
        if len(self._in_flight) >= _CONCURRENCY:
            return _LONGEST_WAIT_S
        query = select(func.min(outbox.c.next_attempt_at)).where(
            outbox.c.state == DeliveryState.PENDING, outbox.c.id.not_in(self._in_flight)
        )
        async with self._database.read() as connection:
            due_at: datetime | None = await connection.scalar(query)
        if due_at is None:
            return _LONGEST_WAIT_S
        return min(max((due_at - self._clock()).total_seconds(), 0.0), _LONGEST_WAIT_S)

    async def _send(self, message: Message) -> None:
        try:
            await self._try(message)
        except DatabaseError as error:
            # What came of it is not kept, so it is sent again: Tell knows it by its webhook-id.
            _log.error("outbox.unwritable", webhook_id=message.webhook_id, error=str(error))
            await asyncio.sleep(_AFTER_DATABASE_ERROR_S)
        finally:
            self._in_flight.discard(message.id)
            self._wake.set()

    async def _try(self, message: Message) -> None:
        attempts = message.attempts + 1
        log = _log.bind(webhook_id=message.webhook_id, kind=message.kind, attempts=attempts)
        try:
            acceptance = await self._tell.post(message, self._clock())
        except TellUnavailableError as error:
            wait_s = await self._postpone(message, attempts, error)
            log.warning("outbox.postponed", error=str(error), wait_s=round(wait_s, 3))
        except TellRefusedError as error:
            await self._give_up(message, attempts, error)
            # No traceback: it would say no more than what Tell said.
            log.error("outbox.refused", error=str(error))  # noqa: TRY400
        else:
            await self._deliver(message, attempts, acceptance)
            correlation_id = None if acceptance is None else acceptance.correlation_id
            log.info("outbox.delivered", correlation_id=correlation_id)
        self._changes.announce()

    async def _deliver(
        self, message: Message, attempts: int, acceptance: Acceptance | None
    ) -> None:
        now = self._clock()
        async with self._database.write() as connection:
            await connection.execute(
                update(outbox)
                .where(outbox.c.id == message.id)
                .values(
                    state=DeliveryState.DELIVERED,
                    attempts=attempts,
                    last_status=202,
                    last_error=None,
                )
            )
            if acceptance is not None:
                await connection.execute(
                    update(purchases)
                    .where(purchases.c.id == message.purchase_id)
                    .values(
                        correlation_id=acceptance.correlation_id, listen_url=acceptance.listen_url
                    )
                )
            # Tell is there: whatever waits because it was not need not wait any longer.
            await connection.execute(
                update(outbox)
                .where(
                    outbox.c.state == DeliveryState.PENDING,
                    outbox.c.last_status.is_(None),
                    outbox.c.next_attempt_at > now,
                )
                .values(next_attempt_at=now)
            )

    async def _postpone(
        self, message: Message, attempts: int, error: TellUnavailableError
    ) -> float:
        # Retry-After counts, but not beyond max_s: a sale must not sleep through its film.
        asked_s = min(error.retry_after_s, self._backoff.max_s)
        wait_s = max(self._backoff.wait_s(attempts, self._dice), asked_s)
        async with self._database.write() as connection:
            await connection.execute(
                update(outbox)
                .where(outbox.c.id == message.id)
                .values(
                    attempts=attempts,
                    next_attempt_at=self._clock() + timedelta(seconds=wait_s),
                    last_status=error.status,
                    last_error=error.said,
                )
            )
        return wait_s

    async def _give_up(self, message: Message, attempts: int, error: TellRefusedError) -> None:
        async with self._database.write() as connection:
            await connection.execute(
                update(outbox)
                .where(outbox.c.id == message.id)
                .values(
                    state=DeliveryState.FAILED,
                    attempts=attempts,
                    last_status=error.status,
                    last_error=error.said,
                )
            )
