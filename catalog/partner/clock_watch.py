"""Measuring the partners' clocks, again and again; one replica measures for all.

A burst of exchanges at a time, of which the lowest round trip counts (catalog/partner/clock.py).
Where a clock was set, what it stamped is read anew.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.errors import DatabaseError, PartnerError
from catalog.partner.client import ClockAnswer
from catalog.partner.clock import Exchange, PartnerClock, Reading, best, observe, read
from catalog.partner.clock_records import read_clock, write_clock
from catalog.screenings.keeping import correct_clock
from catalog.store.database import Database
from catalog.store.leases import Lease
from catalog.workers import ended, is_alive, spawn

log = structlog.get_logger()

_BURST = 8
# Drift alone makes no step, but many small ones add up: all stamps are gone over so often.
_REVIEW_EVERY = timedelta(minutes=10)
# A look that somebody waits for ends after so long; the measurement itself goes on.
_PATIENCE_S = 2.0


class ClockSource(Protocol):
    """What is needed of a partner."""

    async def clock(self, nonce: str) -> ClockAnswer:
        """Its clock, now; raises PartnerError."""
        ...


class ClockWatch:
    """The worker. *on_change* is called after stamps were read anew."""

    def __init__(
        self,
        database: Database,
        sources: Mapping[str, ClockSource],
        clock: Callable[[], datetime],
        lease: Lease,
        *,
        every_s: float,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._sources = sources
        self._clock = clock
        self._lease = lease
        self._every_s = every_s
        self._on_change = on_change
        self._known: dict[str, PartnerClock] = {}
        self._flights: dict[str, asyncio.Task[None]] = {}
        self._reviewed: dict[str, datetime] = {}
        # Bursts in a row that got no answer.
        self._unanswered: dict[str, int] = {}
        self._stopping = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether the worker is at work: False before start, after stop, and after a bug."""
        return is_alive(self._worker)

    def known(self, environment: str) -> PartnerClock | None:
        """What this or another replica has measured last; None where nobody has."""
        return self._known.get(environment)

    async def start(self) -> None:
        """Measure all clocks, for a moment at most, and then again and again."""
        await asyncio.gather(*(self.measure(each) for each in self._sources))
        self._worker = spawn(self._run(), "clock watch")

    async def stop(self) -> None:
        """Drop what is under way, and let another replica have the lease."""
        self._stopping.set()
        await ended(self._worker)
        for flight in list(self._flights.values()):
            flight.cancel()
        await asyncio.gather(*self._flights.values(), return_exceptions=True)
        with suppress(DatabaseError):
            await self._lease.release()

    async def measure(self, environment: str) -> None:
        """Measure one clock now; returns when that is stored, or after two seconds.

        Whoever asks meanwhile waits for the same measurement.
        """
        flight = self._flights.get(environment)
        if flight is None:
            if environment not in self._sources:
                return
            flight = spawn(self._measure(environment), f"clock of {environment}")
            self._flights[environment] = flight
            flight.add_done_callback(lambda _: self._flights.pop(environment, None))
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                await asyncio.wait([flight])

    async def _run(self) -> None:
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._wait_s()):
                    await self._stopping.wait()
                    return
            try:
                mine = await self._lease.acquire()
                if not mine:
                    await self.look()
            except DatabaseError as error:
                log.warning("clock_watch_unleased", error=str(error))
                continue
            if mine:
                await asyncio.gather(*(self.measure(each) for each in self._sources))

    async def look(self) -> None:
        """Take up what the replica that measures has found; raises DatabaseError."""
        async with self._database.read() as connection:
            for environment in self._sources:
                if (known := await read_clock(connection, environment)) is not None:
                    self._known[environment] = known

    def _wait_s(self) -> float:
        """Until the next measurement: sooner where a partner did not answer, as when it starts."""
        failures = min((count for count in self._unanswered.values() if count), default=None)
        return self._every_s if failures is None else min(self._every_s, 2.0 ** min(failures, 16))

    async def _measure(self, environment: str) -> None:
        readings = await self._burst(environment)
        reading = best(readings)
        failures = self._unanswered.get(environment, 0) + 1
        self._unanswered[environment] = 0 if reading is not None else failures
        try:
            changed = await self._database.run(
                lambda connection: self._keep(connection, environment, reading)
            )
        except DatabaseError as error:
            log.warning("partner_clock_not_stored", environment=environment, error=str(error))
            return
        if changed:
            self._on_change()

    async def _burst(self, environment: str) -> list[Reading]:
        readings = []
        try:
            for _ in range(_BURST):
                nonce = secrets.token_hex(8)
                sent_at = self._clock()
                answer = await self._sources[environment].clock(nonce)
                readings.append(
                    read(
                        Exchange(
                            sent_at,
                            answer.received_at,
                            answer.sent_at,
                            self._clock(),
                            answer.bound_us,
                        )
                    )
                )
        except PartnerError as error:
            log.warning("partner_clock_unanswered", environment=environment, reason=error.reason)
        return readings

    async def _keep(
        self, connection: AsyncConnection, environment: str, reading: Reading | None
    ) -> int:
        """Store what is known now, and read stamps anew where it matters; how many changed.

        Without a *reading* what is known grows old, and so do the bounds that stand on it.
        """
        now = self._clock()
        known = await read_clock(connection, environment, lock=True)
        if reading is None:
            if known is None:
                return 0
            fresh = known
        else:
            fresh = observe(known, reading)
            await write_clock(connection, environment, fresh)
        self._known[environment] = fresh
        was_set = known is not None and fresh.before != known.before
        if was_set:
            log.warning(
                "partner_clock_set",
                environment=environment,
                offset_ms=fresh.offset_us / 1000,
                before_ms=fresh.before.offset_us / 1000 if fresh.before else None,
            )
        reviewed_at = self._reviewed.get(environment)
        reviewed = reviewed_at is not None and now - reviewed_at < _REVIEW_EVERY
        if known is not None and reviewed and not was_set:
            return 0
        self._reviewed[environment] = now
        return await correct_clock(connection, environment, now)
