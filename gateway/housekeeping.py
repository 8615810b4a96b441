"""What is done once a day and by one replica: erasing what is older than it needs to be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from catalog.errors import DatabaseError
from catalog.listeners.events import EventLog
from catalog.listeners.pruning import KeepRules, Pruning
from catalog.store.database import Database
from catalog.store.leases import Lease
from catalog.workers import is_alive, spawn

log = structlog.get_logger(__name__)

_DAY = timedelta(days=1)
# A replica that would have pruned may have died, and a clock may be set: look at times.
_LOOK_EVERY_S = 600.0


class Housekeeping:
    """The worker. Its lease is kept for the day: whoever has it has pruned today."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        holder: str,
        rules: KeepRules,
        events: timedelta,
    ) -> None:
        self._clock = clock
        self._lease = Lease(database, clock, "pruning", holder, _DAY)
        self._pruning = Pruning(database, clock, rules)
        self._log = EventLog(database)
        self._events = events
        self._next_at: datetime | None = None
        self._stopping = False
        self._worker: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether the worker is at work: False before start, after stop, and after a bug."""
        return is_alive(self._worker)

    async def start(self) -> None:
        """Begin with what is due."""
        self._worker = spawn(self._run(), "housekeeping")

    async def stop(self) -> None:
        """End at once: what is half-way is rolled back, and done tomorrow."""
        self._stopping = True
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)

    async def run_due(self) -> bool:
        """Prune, unless this or another replica has done so within a day; whether it did."""
        now = self._clock()
        if self._next_at is not None and now < self._next_at:
            return False
        try:
            if not await self._lease.acquire():
                return False
            await self._prune(now)
        except DatabaseError as error:
            log.warning("not_pruned", error=str(error))
            return False
        self._next_at = now + _DAY
        return True

    async def _prune(self, now: datetime) -> None:
        """Raises DatabaseError, and then lets another replica try."""
        done = False
        try:
            await self._pruning.prune()
            while await self._log.prune(now - self._events):
                pass
            done = True
        finally:
            if not done:
                await self._lease.release()

    async def _run(self) -> None:
        while True:
            await self.run_due()
            if self._stopping:
                # A driver may have taken the cancellation for a failure of its server.
                return
            await asyncio.sleep(_LOOK_EVERY_S)
