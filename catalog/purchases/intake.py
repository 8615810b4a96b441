"""Taking purchases: many in one durable transaction, each answered only after it.

A commit costs a wait for the disk however many rows it holds. While one is under way the next
purchases gather, so that a busy evening pays for a few commits and a quiet one waits for nothing.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.errors import (
    CatalogError,
    DatabaseError,
    IntakeFullError,
    PurchaseConflictError,
    WebhookIdReusedError,
)
from catalog.ids import new_correlation_id
from catalog.keys.webhook_messages import Message, note_messages
from catalog.models import PurchaseState
from catalog.purchases.cancellations import already_cancelled
from catalog.purchases.notices import PurchaseNotice
from catalog.store.database import Database
from catalog.store.schema import purchases
from catalog.traceparent import trace_id_of
from catalog.workers import ended, is_alive, spawn

log = structlog.get_logger()

_RETRY_AFTER_S = 1
# What makes two notices of one purchase_id the same.
_COMPARED = tuple(name for name in PurchaseNotice.model_fields if name != "purchase_id")


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a notice came: the message's own id, a digest of its bytes, and the sender's trace.

    `webhook_id` and `body_sha256` (lower-case hexadecimal) are the same at each try of the sender.
    """

    webhook_id: str
    body_sha256: str
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class _Waiting:
    environment: str
    notice: PurchaseNotice
    delivery: Delivery
    answer: asyncio.Future[str]

    @property
    def key(self) -> tuple[str, str]:
        """What a purchase is known by: the same purchase_id elsewhere is another purchase."""
        return self.environment, self.notice.purchase_id

    @property
    def message(self) -> Message:
        """What the message is known by."""
        return Message(self.environment, self.delivery.webhook_id, self.delivery.body_sha256)

    @property
    def fields(self) -> tuple[object, ...]:
        """The values of _COMPARED."""
        return tuple(getattr(self.notice, name) for name in _COMPARED)


@dataclass(frozen=True, slots=True)
class _Known:
    """A purchase that is stored, or will be by this transaction."""

    correlation_id: str
    fields: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a transaction made of a batch: an answer for each, and those that are new."""

    answers: list[str | CatalogError]
    fresh: list[tuple[_Waiting, str]]


class Intake:
    """A bounded queue before the disk. *on_accepted* is called after each commit with new rows."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        *,
        commit_rows: int,
        queue_limit: int,
        on_accepted: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._commit_rows = commit_rows
        self._queue_limit = queue_limit
        self._on_accepted = on_accepted
        self._queue: deque[_Waiting] = deque()
        self._storing: list[_Waiting] = []
        self._filled = asyncio.Event()
        self._taking = False
        self._worker: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether purchases are taken: False before start, after stop, and after a bug."""
        return self._taking and is_alive(self._worker)

    @property
    def waiting(self) -> int:
        """How many purchases wait for the disk."""
        return len(self._queue)

    async def start(self) -> None:
        """Begin to take purchases."""
        self._taking = True
        self._worker = spawn(self._run(), "intake")

    async def stop(self) -> None:
        """Refuse new purchases, answer those that wait, and end."""
        self._taking = False
        self._filled.set()
        await ended(self._worker)

    async def accept(self, environment: str, notice: PurchaseNotice, delivery: Delivery) -> str:
        """Store the purchase and return its correlation id; by then it is durable.

        The same six fields again give the same correlation id, by the same message or another one.
        Raises PurchaseConflictError, WebhookIdReusedError, IntakeFullError (nothing was stored),
        DatabaseError (try again: it may have been stored).
        """
        if not self._taking or len(self._queue) >= self._queue_limit:
            raise IntakeFullError(_RETRY_AFTER_S)
        waiting = _Waiting(
            environment, notice, delivery, asyncio.get_running_loop().create_future()
        )
        self._queue.append(waiting)
        self._filled.set()
        return await waiting.answer

    async def _run(self) -> None:
        try:
            while self._taking or self._queue:
                await self._filled.wait()
                self._filled.clear()
                while self._queue:
                    rows = min(self._commit_rows, len(self._queue))
                    self._storing = [self._queue.popleft() for _ in range(rows)]
                    await self._commit(self._storing)
        finally:
            # Somebody waits here only where this task was cancelled or has a bug. They must hear
            # of it, and nobody may begin to wait.
            self._taking = False
            _refuse([*self._storing, *self._queue], "the intake has ended")

    async def _commit(self, batch: list[_Waiting]) -> None:
        """One transaction for the whole batch, then the answers."""
        try:
            outcome = await self._database.run(lambda connection: self._store(connection, batch))
        except DatabaseError as error:
            log.warning("purchases_not_stored", purchases=len(batch), error=str(error))
            _refuse(batch, str(error))
            if not self._taking:
                # Stopping: do not wait out the database's time-out once more for each batch.
                _refuse(self._queue, str(error))
                self._queue.clear()
            return
        for waiting, answer in zip(batch, outcome.answers, strict=True):
            _answer(waiting, answer)
        for waiting, correlation_id in outcome.fresh:
            log.info(
                "purchase_accepted",
                correlation_id=correlation_id,
                environment=waiting.environment,
                webhook_id=waiting.delivery.webhook_id,
                trace_id=_trace_id(waiting),
            )
        if outcome.fresh:
            self._on_accepted()

    async def _store(self, connection: AsyncConnection, batch: list[_Waiting]) -> _Outcome:
        """Insert what is new. Whoever comes with a used webhook-id is refused, and nobody else."""
        now = self._clock()
        reused = await note_messages(connection, [waiting.message for waiting in batch], now)
        known = await _find(connection, batch)
        answers: list[str | CatalogError] = []
        fresh: list[tuple[_Waiting, str]] = []
        for waiting in batch:
            if waiting.message in reused:
                answers.append(WebhookIdReusedError(waiting.delivery.webhook_id))
                continue
            before = known.get(waiting.key)
            if before is None:
                before = _Known(new_correlation_id(), waiting.fields)
                known[waiting.key] = before
                fresh.append((waiting, before.correlation_id))
            answers.append(_compare(waiting, before))
        if fresh:
            await connection.execute(
                insert(purchases),
                [_row(waiting, correlation_id, now) for waiting, correlation_id in fresh],
            )
            # Only now: one that comes at the same moment sees the purchase, or is seen here.
            for environment, ids in _by_environment([waiting for waiting, _ in fresh]).items():
                await already_cancelled(connection, environment, ids, now)
        return _Outcome(answers, fresh)


def _row(waiting: _Waiting, correlation_id: str, now: datetime) -> dict[str, object]:
    """A new purchase."""
    return {
        **waiting.notice.model_dump(),
        "environment": waiting.environment,
        "correlation_id": correlation_id,
        "webhook_id": waiting.delivery.webhook_id,
        "traceparent": waiting.delivery.traceparent,
        "accepted_at": now,
        "state": PurchaseState.ACCEPTED,
        "attempts": 0,
        "next_attempt_at": now,
    }


async def _find(
    connection: AsyncConnection, batch: list[_Waiting]
) -> dict[tuple[str, str], _Known]:
    """Those of *batch* that are stored already, one query for each environment."""
    known: dict[tuple[str, str], _Known] = {}
    columns = [purchases.c[name] for name in _COMPARED]
    for environment, purchase_ids in _by_environment(batch).items():
        rows = await connection.execute(
            select(purchases.c.purchase_id, purchases.c.correlation_id, *columns)
            .where(purchases.c.environment == environment)
            .where(purchases.c.purchase_id.in_(purchase_ids))
        )
        row: Row[tuple[object, ...]]
        for row in rows:
            known[environment, row.purchase_id] = _Known(row.correlation_id, tuple(row[2:]))
    return known


def _by_environment(batch: list[_Waiting]) -> dict[str, set[str]]:
    asked: defaultdict[str, set[str]] = defaultdict(set)
    for waiting in batch:
        asked[waiting.environment].add(waiting.notice.purchase_id)
    return asked


def _trace_id(waiting: _Waiting) -> str | None:
    traceparent = waiting.delivery.traceparent
    return None if traceparent is None else trace_id_of(traceparent)


def _compare(waiting: _Waiting, before: _Known) -> str | PurchaseConflictError:
    pairs = zip(_COMPARED, before.fields, waiting.fields, strict=True)
    different = tuple(name for name, old, new in pairs if old != new)
    if different:
        return PurchaseConflictError(waiting.notice.purchase_id, before.correlation_id, different)
    return before.correlation_id


def _answer(waiting: _Waiting, answer: str | CatalogError) -> None:
    # Done already where it was answered, or where the caller has gone away.
    if waiting.answer.done():
        return
    if isinstance(answer, str):
        waiting.answer.set_result(answer)
    else:
        waiting.answer.set_exception(answer)


def _refuse(batch: Iterable[_Waiting], reason: str) -> None:
    for waiting in batch:
        # An error for each: one object raised in many tasks would gather all their tracebacks.
        _answer(waiting, DatabaseError(reason))
