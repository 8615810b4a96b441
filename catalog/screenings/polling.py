"""Reconciliation: every screening with tickets is looked at again, so that a lost event heals.

What is due stands in the database (`screenings.next_poll_at`); of all replicas the one that has the
lease polls. A screening costs one request however many tickets it has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Protocol

import structlog
from sqlalchemy import exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.errors import DatabaseError, PartnerAnswerError, PartnerError
from catalog.models import PurchaseState
from catalog.partner.details import Question, ScreeningDetails
from catalog.screenings.keeping import Outcome, store_details
from catalog.screenings.polling_schedule import PollIntervals, next_poll_at
from catalog.screenings.screening_rows import select_seen, told_of
from catalog.store.database import Database
from catalog.store.leases import Lease
from catalog.store.schema import purchases, screenings
from catalog.workers import ended, is_alive, spawn

log = structlog.get_logger()

# The clock may be set, and screenings come from other processes: look at times.
_LONGEST_WAIT_S = 5.0
_SWEEP_EVERY = timedelta(days=1)
# What the partner says now, and nothing older.
_NOW = timedelta(0)
_PAUSE_S = 1.0
_RANDOM = SystemRandom()


class Partner(Protocol):
    """What polling needs of a partner."""

    async def screening_details(
        self,
        movie_id: str,
        place_id: str,
        auditorium_number: str,
        showtime_id: str,
        *,
        fresh: timedelta,
        stale: timedelta,
    ) -> ScreeningDetails:
        """What the partner says, at most so old; raises PartnerError."""
        ...


@dataclass(frozen=True, slots=True)
class _Due:
    """A screening to be looked at."""

    screening_id: int
    environment: str
    question: Question


class Polling:
    """The worker. *on_change* is called after the commit of something that listeners see.

    *on_poll* is told the environment and what came of each poll: an Outcome or a reason.
    """

    def __init__(
        self,
        database: Database,
        partners: Mapping[str, Partner],
        clock: Callable[[], datetime],
        lease: Lease,
        *,
        intervals: PollIntervals,
        concurrency: int,
        on_change: Callable[[], None] = lambda: None,
        on_poll: Callable[[str, str], None] = lambda environment, outcome: None,
        fraction: Callable[[], float] = _RANDOM.random,
    ) -> None:
        self._database = database
        self._partners = partners
        self._clock = clock
        self._lease = lease
        self._intervals = intervals
        self._concurrency = concurrency
        self._on_change = on_change
        self._on_poll = on_poll
        self._fraction = fraction
        self._kicked = asyncio.Event()
        self._idle = asyncio.Event()
        # An environment's polls that are under way: a slow one keeps no other waiting. What died of
        # a bug stays, and its environment is asked no more: the same would happen at once.
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._swept_at: datetime | None = None
        self._running = False
        self._worker: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether all is at work: False before start, after stop, and after a bug."""
        return is_alive(self._worker) and all(map(is_alive, self._asking.values()))

    async def start(self) -> None:
        """Begin with what is due."""
        self._running = True
        self._worker = spawn(self._run(), "polling")

    async def stop(self) -> None:
        """End after the polls that are under way, and let another replica have the lease."""
        self._running = False
        self.kick()
        await ended(self._worker)
        for polls in list(self._asking.values()):
            await ended(polls)
        try:
            await self._lease.release()
        except DatabaseError as error:
            log.warning("lease_not_released", error=str(error))

    def kick(self) -> None:
        """Look for due screenings now: the clock was moved, or the program stops."""
        self._idle.clear()
        self._kicked.set()

    async def idle(self) -> None:
        """Wait until nothing is due, or another replica polls."""
        await self._idle.wait()

    async def _run(self) -> None:
        while self._running:
            self._kicked.clear()
            wait_s = await self._round()
            if not self._kicked.is_set() and not any(map(is_alive, self._asking.values())):
                self._idle.set()
            try:
                async with asyncio.timeout(wait_s):
                    await self._kicked.wait()
            except TimeoutError:
                continue

    async def _round(self) -> float:
        """Begin to poll what is due; returns the seconds until more will be."""
        try:
            if not await self._lease.acquire():
                return _LONGEST_WAIT_S
            await self._sweep()
            for environment in self._free():
                if due := await self._due(environment):
                    self._begin(environment, due)
            return await self._wait_s()
        except DatabaseError as error:
            log.warning("polls_not_read", error=str(error))
            return _LONGEST_WAIT_S

    def _free(self) -> list[str]:
        """The environments of which nothing is asked just now."""
        return [environment for environment in self._partners if environment not in self._asking]

    def _begin(self, environment: str, due: list[_Due]) -> None:
        polls = spawn(self._poll_all(due), f"polls of {environment}")
        self._asking[environment] = polls

        def done(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and task.exception() is None:
                del self._asking[environment]
            # There may be more.
            self.kick()

        polls.add_done_callback(done)

    async def _poll_all(self, due: list[_Due]) -> None:
        await asyncio.gather(*(self._poll(each) for each in due))

    async def _sweep(self) -> None:
        """Once a day: whatever has tickets and was forgotten is due now."""
        now = self._clock()
        if self._swept_at is not None and now - self._swept_at < _SWEEP_EVERY:
            return
        ticketed = exists().where(
            purchases.c.screening_id == screenings.c.id,
            purchases.c.state == PurchaseState.ENRICHED,
        )
        async with self._database.write() as connection:
            found = await connection.execute(
                update(screenings)
                .where(screenings.c.next_poll_at.is_(None))
                .where(screenings.c.credits_end > now)
                .where(ticketed)
                .values(next_poll_at=now)
            )
        self._swept_at = now
        log.info("polls_swept", forgotten=found.rowcount)

    async def _due(self, environment: str) -> list[_Due]:
        query = (
            select_seen()
            .where(screenings.c.next_poll_at <= self._clock())
            .where(screenings.c.environment == environment)
            .order_by(screenings.c.next_poll_at)
            .limit(self._concurrency)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            _Due(
                row.screening_row,
                row.environment,
                Question(row.movie_id, row.place_id, row.number, row.showtime_id),
            )
            for row in rows
        ]

    async def _wait_s(self) -> float:
        query = select(func.min(screenings.c.next_poll_at)).where(
            screenings.c.environment.in_(self._free())
        )
        async with self._database.read() as connection:
            due_at: datetime | None = await connection.scalar(query)
        if due_at is None:
            return _LONGEST_WAIT_S
        left_s = (due_at - self._clock()).total_seconds()
        return min(max(left_s, 0.01), _LONGEST_WAIT_S)

    async def _poll(self, due: _Due) -> None:
        outcome = await self._ask(due)
        self._on_poll(due.environment, outcome)
        if outcome == Outcome.APPLIED:
            # The event about it was lost, or is late.
            log.info("screening_reconciled", showtime_id=due.question.showtime_id)
            self._on_change()

    async def _ask(self, due: _Due) -> str:
        """Ask, store, and set the next poll; returns what came of it."""
        where = log.bind(environment=due.environment, showtime_id=due.question.showtime_id)
        details: ScreeningDetails | None = None
        outcome = ""
        try:
            details = await self._partners[due.environment].screening_details(
                *astuple(due.question), fresh=_NOW, stale=_NOW
            )
        except PartnerAnswerError as error:
            where.error("poll_not_understood", reason=error.reason, detail=error.detail)
            outcome = error.reason
        except PartnerError as error:
            # A 404 too: it never means cancelled.
            where.warning("poll_unanswered", reason=error.reason, detail=error.detail)
            outcome = error.reason
        try:
            return await self._store(due, details) or outcome
        except PartnerAnswerError as error:
            where.error("poll_not_understood", reason=error.reason, detail=error.detail)
            await self._store(due, None)
            return error.reason
        except DatabaseError as error:
            where.warning("poll_not_stored", error=str(error))
            # It is due still: without a pause the same would happen at once.
            await asyncio.sleep(_PAUSE_S)
            return "database"

    async def _store(self, due: _Due, details: ScreeningDetails | None) -> str | None:
        now = self._clock()
        fraction = self._fraction()

        async def store(connection: AsyncConnection) -> str | None:
            outcome = None
            if details is not None:
                question = due.question
                stored = await store_details(
                    connection,
                    due.environment,
                    question.movie_id,
                    question.place_id,
                    question.showtime_id,
                    details,
                    now=now,
                )
                outcome = stored.outcome
            same = screenings.c.id == due.screening_id
            row = (await connection.execute(select_seen().where(same))).one_or_none()
            if row is not None:
                due_at = next_poll_at(told_of(row), now, self._intervals, fraction)
                if details is None and due_at is not None:
                    # An answer is missing: not another day without one.
                    due_at = min(due_at, now + timedelta(seconds=self._intervals.day_s))
                polled = {} if details is None else {"polled_at": now}
                await connection.execute(
                    update(screenings).where(same).values(next_poll_at=due_at, **polled)
                )
            return outcome

        return await self._database.run(store)
