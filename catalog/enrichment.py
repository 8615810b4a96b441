"""From accepted purchases to tickets: asking the partner, in the background, until it answers.

What is still to be asked, and when, stands in the database: a restart goes on where it stopped.
Purchases of one showtime share a look-up. A partner that is down, slow or does not know the
screening yet is asked again, at growing intervals; an answer that cannot be true parks the
purchase for a person.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from math import inf
from random import SystemRandom
from typing import Protocol

import structlog
from sqlalchemy import ColumnElement, bindparam, func, select, update

from catalog.database import Database
from catalog.details import ScreeningDetails
from catalog.errors import (
    DatabaseError,
    PartnerAnswerError,
    PartnerError,
    PartnerUnavailableError,
    ScreeningUnknownError,
)
from catalog.models import PurchaseState
from catalog.schema import purchases
from catalog.screenings import store_details
from catalog.workers import spawn

log = structlog.get_logger()

# Another process may accept purchases without a kick, and a clock may be set: look at times.
_LONGEST_WAIT_S = 30.0
_RANDOM = SystemRandom()
_DETAIL_CHARS = 255
_KEY = (
    purchases.c.environment,
    purchases.c.movie_id,
    purchases.c.place_id,
    purchases.c.auditorium_number,
    purchases.c.showtime_id,
)


class Partner(Protocol):
    """What enrichment needs of a partner."""

    async def screening_details(
        self, movie_id: str, place_id: str, auditorium_number: str, showtime_id: str
    ) -> ScreeningDetails:
        """Raises PartnerError."""
        ...


@dataclass(frozen=True, slots=True)
class _LookUp:
    """One question to the partner; all purchases with these five fields wait for its answer."""

    environment: str
    movie_id: str
    place_id: str
    auditorium_number: str
    showtime_id: str

    def waiting(self) -> list[ColumnElement[bool]]:
        """Conditions of the purchases that wait for it."""
        pairs = zip(_KEY, astuple(self), strict=True)
        return [
            purchases.c.state == PurchaseState.ACCEPTED,
            *(column == value for column, value in pairs),
        ]


def retry_delay_s(attempts: int, first_s: float, max_s: float, fraction: float) -> float:
    """Seconds until the next look-up after *attempts* earlier failures.

    Doubles from *first_s* to *max_s*; *fraction* (0 to 1, random) takes up to half of it away, so
    that purchases that failed together do not all come back together.
    """
    full_s = min(max_s, first_s * 2.0 ** min(attempts, 32))
    return full_s * (0.5 + fraction / 2)


class Enrichment:
    """The worker. *on_enriched* is called with a correlation id after its commit."""

    def __init__(
        self,
        database: Database,
        partners: Mapping[str, Partner],
        clock: Callable[[], datetime],
        *,
        retry_first_s: float,
        retry_max_s: float,
        concurrency: int,
        on_enriched: Callable[[str], None] = lambda correlation_id: None,
        fraction: Callable[[], float] = _RANDOM.random,
    ) -> None:
        self._database = database
        self._partners = partners
        self._clock = clock
        self._retry_first_s = retry_first_s
        self._retry_max_s = retry_max_s
        self._concurrency = concurrency
        self._on_enriched = on_enriched
        self._fraction = fraction
        self._flights: dict[_LookUp, asyncio.Task[None]] = {}
        # Those of the flights that have not got their answer yet.
        self._asking: set[_LookUp] = set()
        # Look-ups whose outcome could not be stored, and when to try again.
        self._held: dict[_LookUp, datetime] = {}
        self._kicked = asyncio.Event()
        self._idle = asyncio.Event()
        self._running = False
        self._worker: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether the worker is at work: False before start, after stop, and after a bug."""
        return self._worker is not None and not self._worker.done()

    async def start(self) -> None:
        """Begin with what is due."""
        self._running = True
        self._worker = spawn(self._run(), "enrichment")

    async def stop(self) -> None:
        """Drop the look-ups that are under way, finish what is being stored, and end."""
        self._running = False
        self.kick()
        if self._worker is not None:
            await self._worker
        for look_up in list(self._asking):
            # Nothing is lost: its purchases are still due.
            self._flights[look_up].cancel()
        await asyncio.gather(*self._flights.values(), return_exceptions=True)

    def kick(self) -> None:
        """Look for due purchases now: some were accepted, or the clock was moved."""
        self._idle.clear()
        self._kicked.set()

    async def idle(self) -> None:
        """Wait until no look-up is under way and none is due."""
        await self._idle.wait()

    async def _run(self) -> None:
        while self._running:
            self._kicked.clear()
            wait_s = await self._start_due()
            if not (self._flights or self._kicked.is_set()):
                self._idle.set()
            try:
                async with asyncio.timeout(min(wait_s, _LONGEST_WAIT_S)):
                    await self._kicked.wait()
            except TimeoutError:
                continue

    async def _start_due(self) -> float:
        """Start look-ups for what is due; returns the seconds until more will be."""
        # One that lands while we read would look due still; its landing kicks anyway.
        flying = set(self._flights)
        try:
            upcoming = await self._upcoming()
        except DatabaseError as error:
            log.warning("enrichment_not_read", error=str(error))
            return self._retry_first_s
        now = self._clock()
        self._held = {look_up: until for look_up, until in self._held.items() if until > now}
        next_at = list(self._held.values())
        for look_up, due_at in upcoming:
            if look_up in flying or look_up in self._held:
                continue
            if due_at > now:
                next_at.append(due_at)
                break
            if len(self._flights) >= self._concurrency:
                break  # The next one to land kicks.
            self._asking.add(look_up)
            self._flights[look_up] = spawn(self._fly(look_up), "enrichment look-up")
        return min((instant - now).total_seconds() for instant in next_at) if next_at else inf

    async def _upcoming(self) -> list[tuple[_LookUp, datetime]]:
        """The look-ups that are due first, more of them than can be started at once."""
        due_at = func.min(purchases.c.next_attempt_at).label("due_at")
        query = (
            select(*_KEY, due_at)
            .where(purchases.c.state == PurchaseState.ACCEPTED)
            .where(purchases.c.environment.in_(list(self._partners)))
            .group_by(*_KEY)
            .order_by(due_at)
            .limit(self._concurrency + len(self._flights) + len(self._held) + 1)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [(_LookUp(*row[:-1]), row.due_at) for row in rows]

    async def _fly(self, look_up: _LookUp) -> None:
        landed = False
        try:
            await self._enrich(look_up)
            landed = True
        except DatabaseError as error:
            log.warning("enrichment_not_stored", showtime_id=look_up.showtime_id, error=str(error))
        finally:
            if not landed:
                # Its purchases are still due: without a pause the same would happen at once.
                self._held[look_up] = self._clock() + timedelta(seconds=self._retry_first_s)
            self._asking.discard(look_up)
            del self._flights[look_up]
            self.kick()

    async def _enrich(self, look_up: _LookUp) -> None:
        """Ask, and store what became of it. Raises DatabaseError."""
        try:
            details = await self._ask(look_up)
            correlation_ids = await self._link(look_up, details)
        except PartnerAnswerError as error:
            await self._park(look_up, error)
        except (PartnerUnavailableError, ScreeningUnknownError) as error:
            await self._postpone(look_up, error)
        else:
            for correlation_id in correlation_ids:
                log.info("purchase_enriched", correlation_id=correlation_id)
                self._on_enriched(correlation_id)

    async def _ask(self, look_up: _LookUp) -> ScreeningDetails:
        try:
            return await self._partners[look_up.environment].screening_details(
                look_up.movie_id,
                look_up.place_id,
                look_up.auditorium_number,
                look_up.showtime_id,
            )
        finally:
            # From here on stop() waits: what is being stored is not broken off.
            self._asking.discard(look_up)

    async def _link(self, look_up: _LookUp, details: ScreeningDetails) -> list[str]:
        """Store the screening and enrich all who wait for it; returns their correlation ids."""
        async with self._database.write() as connection:
            stored = await store_details(
                connection,
                look_up.environment,
                look_up.movie_id,
                look_up.place_id,
                look_up.showtime_id,
                details,
            )
            rows = await connection.scalars(
                select(purchases.c.correlation_id).where(*look_up.waiting()).with_for_update()
            )
            correlation_ids = list(rows)
            await connection.execute(
                update(purchases)
                .where(*look_up.waiting())
                .values(
                    state=PurchaseState.ENRICHED,
                    enriched_at=self._clock(),
                    theater_id=stored.theater_id,
                    screening_id=stored.screening_id,
                    failure_code=None,
                    failure_detail=None,
                )
            )
        return correlation_ids

    async def _park(self, look_up: _LookUp, error: PartnerError) -> None:
        """All who wait for this answer wait for a person now."""
        async with self._database.write() as connection:
            rows = await connection.scalars(
                select(purchases.c.correlation_id).where(*look_up.waiting()).with_for_update()
            )
            correlation_ids = list(rows)
            await connection.execute(
                update(purchases)
                .where(*look_up.waiting())
                .values(state=PurchaseState.PARKED, **_failure(error))
            )
        for correlation_id in correlation_ids:
            log.error(
                "purchase_parked",
                correlation_id=correlation_id,
                failure_code=error.reason,
                detail=error.detail,
            )

    async def _postpone(self, look_up: _LookUp, error: PartnerError) -> None:
        """Set the next look-up of each purchase that was due, by its own count of failures."""
        now = self._clock()
        async with self._database.write() as connection:
            due = (
                await connection.execute(
                    select(purchases.c.id, purchases.c.attempts, purchases.c.correlation_id)
                    .where(*look_up.waiting())
                    .where(purchases.c.next_attempt_at <= now)
                    .with_for_update()
                )
            ).all()
            next_at = {row.id: now + self._delay(row.attempts) for row in due}
            if due:
                await connection.execute(
                    update(purchases)
                    .where(purchases.c.id == bindparam("row_id"))
                    .values(attempts=purchases.c.attempts + 1, **_failure(error)),
                    [
                        {"row_id": row_id, "next_attempt_at": instant}
                        for row_id, instant in next_at.items()
                    ],
                )
        for row in due:
            log.warning(
                "enrichment_postponed",
                correlation_id=row.correlation_id,
                failure_code=error.reason,
                detail=error.detail,
                attempts=row.attempts + 1,
                next_attempt_at=next_at[row.id].isoformat(),
            )

    def _delay(self, attempts: int) -> timedelta:
        return timedelta(
            seconds=retry_delay_s(
                attempts, self._retry_first_s, self._retry_max_s, self._fraction()
            )
        )


def _failure(error: PartnerError) -> dict[str, str]:
    return {"failure_code": error.reason, "failure_detail": error.detail[:_DETAIL_CHARS]}
