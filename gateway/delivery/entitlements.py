"""Who may listen, in memory: tickets as the database has them, kept fresh by the events' log.

What changes for a listener is written to the log in the transaction that makes it true
(catalog/listeners/events.py). So a ticket that was read once, and who holds it, stays true until an
event names its purchase or its screening; then it is read again. The log is looked at again and
again, at once where this process wrote to it, and before each grant and playlist: there a look
costs nothing where nobody has written to the database. What the log does not tell, since a hand
or a restored backup changed it without a word, a slower audit finds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import structlog

from catalog.errors import DatabaseError, TicketNotFoundError
from catalog.listeners.events import Event, EventLog
from catalog.listeners.privacy import told_count
from catalog.purchases.tickets import Known, Tickets
from catalog.workers import ended, is_alive, spawn
from gateway.delivery.batches import Batches
from gateway.delivery.standings import Standing, Standings, by_ticket
from media.shared_readings import told

log = structlog.get_logger(__name__)

_BATCH = 500
_AUDITED_AT_ONCE = 200
_READ_AT_ONCE = 100
_AUDIT_S = 300.0
_LOOK_BACK_S = 30.0

Read = tuple[Known, frozenset[str] | None, int]


class Entitlements:
    """Keeps the *limit* tickets that were asked for last.

    *poll_s* is the time between two looks at the log, *monotonic* a clock in seconds for that.
    Tickets that somebody holds for screenings that begin within *ahead* are read at the start.
    """

    def __init__(
        self,
        tickets: Tickets,
        event_log: EventLog,
        *,
        poll_s: float,
        limit: int,
        clock: Callable[[], datetime],
        ahead: timedelta = timedelta(0),
        audit_s: float = _AUDIT_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tickets = tickets
        self._log = event_log
        self._poll_s = poll_s
        self._clock = clock
        self._ahead = ahead
        self._audit_s = audit_s
        self._monotonic = monotonic
        self._standings = Standings(limit)
        self._position = 0
        self._looked_at: float | None = None
        self._kicks = 0
        self._kicks_seen = -1
        # Of the log as it was when the last look at it began.
        self._version: int | None = None
        self._audited: int | None = None
        # What an event named, to be read again.
        self._lost: set[str] = set()
        self._reading: set[asyncio.Task[None]] = set()
        self._reading_ahead: asyncio.Task[None] | None = None
        self._look: asyncio.Task[None] | None = None
        self._kicked = asyncio.Event()
        self._running = False
        self._worker: asyncio.Task[None] | None = None
        # When everybody presses play, many tickets are read at once.
        self._known = Batches(self._read_known, _READ_AT_ONCE)
        self._held = Batches(self._read_held, _READ_AT_ONCE)

    def __len__(self) -> int:
        return len(self._standings)

    @property
    def age_s(self) -> float:
        """Seconds since the log was last read to its end; 0 before the first time."""
        return 0.0 if self._looked_at is None else self._monotonic() - self._looked_at

    @property
    def running(self) -> bool:
        """Whether the worker is at work: False before start, after stop, and after a bug."""
        return is_alive(self._worker)

    async def start(self) -> None:
        """Begin behind the events of now; raises DatabaseError."""
        self._position = (await self._log.span()).last
        self._running = True
        self._worker = spawn(self._run(), "entitlements")
        self._reading_ahead = self._read_later(self._read_ahead())

    async def stop(self) -> None:
        """End; a look that is under way is waited for."""
        self._running = False
        self._kicked.set()
        await ended(self._worker)
        for reading in tuple(self._reading):
            reading.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)
        if self._look is not None:
            with suppress(DatabaseError):
                await self._look

    async def has_read_ahead(self) -> None:
        """Return when the tickets of the next hours were read, or it was given up."""
        await ended(self._reading_ahead)

    def kick(self) -> None:
        """Something was written to the log here: nothing is fresh until it was looked at."""
        self._kicks += 1
        self._kicked.set()

    async def catch_up(self) -> None:
        """Look at the log, and return when all that stood in it was seen; raises DatabaseError."""
        self.kick()
        await self._be_fresh()

    def is_fresh(self) -> bool:
        """Whether all is known that stands in the log now, as far as that can be told at once."""
        if self._version is None or self._kicks_seen < self._kicks:
            return False
        now = self._monotonic()
        if self._log.version() != self._version:
            return False
        self._looked_at = now
        return True

    async def be_fresh(self) -> None:
        """Return when all is known that stood in the log when this was called.

        Where the database does not answer, what is known holds: her sound goes on.
        """
        with suppress(DatabaseError):
            await self._be_fresh()

    async def standing(self, correlation_id: str) -> Standing:
        """The ticket as it is: after all that stood in the log when this was asked.

        Where the database does not answer, what is known of the ticket holds: her sound goes on.
        Raises TicketNotFoundError, DatabaseError.
        """
        try:
            await self._be_fresh()
        except DatabaseError:
            if self._standings.look(correlation_id) is None:
                raise
        return await self.known(correlation_id)

    async def known(self, correlation_id: str) -> Standing:
        """The ticket as the last look at the log left it; read where it was not asked for lately.

        Raises TicketNotFoundError, DatabaseError.
        """
        standing = self._standings.find(correlation_id)
        if standing is not None:
            return standing
        found = await self._known.get(correlation_id)
        if found is None:
            raise TicketNotFoundError(correlation_id)
        return self._keep(*found)

    def holding(self, listener_id: str, correlation_id: str) -> Standing | None:
        """The ticket as it is now, if it is known at once that the listener holds it."""
        return self._holding(listener_id, correlation_id) if self.is_fresh() else None

    async def held(self, listener_id: str, correlation_id: str) -> Standing:
        """The ticket as it is now, if the listener holds it; read where that is not known.

        Raises TicketNotFoundError, DatabaseError.
        """
        if self._holding(listener_id, correlation_id) is not None:
            await self._be_fresh()
            standing = self._holding(listener_id, correlation_id)
            if standing is not None:
                return standing
        found = await self._held.get((listener_id, correlation_id))
        if found is None:
            raise TicketNotFoundError(correlation_id)
        return self._keep(*found)

    def forget(self, correlation_ids: Iterable[str]) -> None:
        """Keep nothing of these tickets: they may have been erased here, which no event tells."""
        for name in correlation_ids:
            self._standings.drop(name)

    def _holding(self, listener_id: str, correlation_id: str) -> Standing | None:
        """The ticket as the last look at the log left it, if the listener is known to hold it."""
        standing = self._standings.find(correlation_id)
        return standing if standing is not None and standing.held_by(listener_id) else None

    async def _read_known(self, names: Collection[str]) -> dict[str, Read]:
        """Each ticket with the place in the log that had been read before it was."""
        position = self._position
        found = await self._tickets.known(names)
        return {known.ticket.correlation_id: (known, None, position) for known in found}

    async def _read_held(self, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], Read]:
        """The same for tickets in the hands of listeners."""
        position = self._position
        found = await self._tickets.in_hands({name for _, name in pairs})
        return {
            (listener_id, known.ticket.correlation_id): (known, holders, position)
            for known, holders in by_ticket(found)
            for listener_id in holders
        }

    def _keep(self, known: Known, holders: frozenset[str] | None, position: int) -> Standing:
        """Remember what was read after the log was read up to *position*.

        Where it has gone on meanwhile, maybe about this ticket, that is good for this once.
        """
        return self._standings.keep(known, holders, current=position == self._position)

    def _read_later(self, reading: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Read for nobody who waits."""
        task = spawn(reading, "entitlements, ahead")
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)
        return task

    async def _read_ahead(self) -> None:
        """Read tonight's tickets: after a restart, everybody presses play at once."""
        if not self._ahead:
            return
        now = self._clock()
        try:
            for row in await self._tickets.coming(now, now + self._ahead):
                names = await self._tickets.held_for(row)
                for first in range(0, len(names), _READ_AT_ONCE):
                    if self._standings.full:
                        break
                    await self._read(names[first : first + _READ_AT_ONCE])
        except DatabaseError as error:
            log.warning("tickets_not_read_ahead", error=str(error))
        else:
            log.info("tickets_read_ahead", tickets=told_count(len(self._standings)))

    async def _read_lost(self) -> None:
        """Read again what events named, before it is asked for."""
        try:
            while self._lost:
                some = [self._lost.pop() for _ in range(min(len(self._lost), _READ_AT_ONCE))]
                await self._read(some)
        except DatabaseError:
            # Who asks for them is told.
            self._lost.clear()

    async def _read(self, names: Collection[str]) -> None:
        position = self._position
        for known, holders in by_ticket(await self._tickets.in_hands(names)):
            self._keep(known, holders, position)

    async def _be_fresh(self) -> None:
        """Return when a look has ended that began about now or later, and after all kicks."""
        if self.is_fresh():
            return
        oldest = self._monotonic()
        kicks = self._kicks
        while self._looked_at is None or self._looked_at < oldest or self._kicks_seen < kicks:
            if self._look is None:
                # One for all who wait; a client that goes away does not end it for the others.
                self._look = asyncio.create_task(self._look_at_log())
                self._look.add_done_callback(told)
            await asyncio.shield(self._look)

    async def _look_at_log(self) -> None:
        began, kicks, version = self._monotonic(), self._kicks, self._log.version()
        try:
            while True:
                found = await self._log.after(self._position, _BATCH)
                for event in found:
                    self._note(event)
                if found:
                    self._position = found[-1].id
                if len(found) < _BATCH:
                    break
            self._looked_at, self._kicks_seen, self._version = began, kicks, version
        finally:
            # Here, and not when the task is done: whoever comes meanwhile begins another.
            self._look = None

    def _note(self, event: Event) -> None:
        for name in (
            *self._standings.of_purchase(event.purchase_id),
            *self._standings.of_purchase(event.released),
            *self._standings.of_screening(event.screening_id),
        ):
            self._standings.drop(name)
            if self._running:
                if not self._lost:
                    self._read_later(self._read_lost())
                self._lost.add(name)

    async def _run(self) -> None:
        audit_at = self._monotonic() + self._audit_s
        look_back_at = self._monotonic() + _LOOK_BACK_S
        while self._running:
            self._kicked.clear()
            try:
                await self._be_fresh()
                if self._monotonic() >= look_back_at:
                    look_back_at = self._monotonic() + _LOOK_BACK_S
                    if (await self._log.span()).last < self._position:
                        # The database of before: it was restored, and its log begins anew.
                        self._position = 0
                        audit_at = self._monotonic()
                if self._monotonic() >= audit_at:
                    await self.audit()
                    audit_at = self._monotonic() + self._audit_s
            except DatabaseError as error:
                log.warning("entitlements_not_read", error=str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await self._kicked.wait()

    async def audit(self) -> None:
        """Compare all that is kept with the database, and drop what is another there.

        Raises DatabaseError.
        """
        version = self._log.version()
        if version is not None and version == self._audited:
            return
        names = self._standings.names()
        for first in range(0, len(names), _AUDITED_AT_ONCE):
            await self._audit(names[first : first + _AUDITED_AT_ONCE])
        self._audited = version

    async def _audit(self, names: Sequence[str]) -> None:
        before = {name: standing for name in names if (standing := self._standings.look(name))}
        now = {
            known.ticket.correlation_id: known.ticket for known in await self._tickets.known(names)
        }
        held = [name for name, standing in before.items() if standing.holders is not None]
        holders = {
            known.ticket.correlation_id: holders
            for known, holders in by_ticket(await self._tickets.in_hands(held) if held else ())
        }
        for name, standing in before.items():
            gone = (standing.holders or frozenset()) - holders.get(name, frozenset())
            if standing.ticket != now.get(name) or gone:
                self._standings.drop(name)
