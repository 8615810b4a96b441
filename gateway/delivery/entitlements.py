"""Who may listen, in memory: tickets as the database has them, kept fresh by the events' log.

What changes for a listener is written to the log in the transaction that makes it true
(catalog/listeners/events.py). So a ticket that was read once stays true until an event names its
purchase or its screening. The log is looked at again and again, at once where this process wrote to
it, and before each playlist. What the log does not tell, since it erases without a word
(catalog/listeners/privacy.py), a slower audit finds.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress

import structlog

from catalog.errors import DatabaseError, TicketNotFoundError
from catalog.listeners.events import Event, EventLog
from catalog.models import Ticket
from catalog.purchases.tickets import Known, Tickets
from catalog.workers import ended, is_alive, spawn
from gateway.delivery.batches import Batches
from media.shared_readings import told

log = structlog.get_logger(__name__)

_BATCH = 500
_AUDITED_AT_ONCE = 200
_READ_AT_ONCE = 100
_AUDIT_S = 30.0


class Standing:
    """A ticket as it is now, while `valid`; what is built on it ends with it."""

    __slots__ = ("purchase_id", "ticket", "valid")

    def __init__(self, known: Known) -> None:
        self.ticket: Ticket = known.ticket
        self.purchase_id = known.purchase_id
        self.valid = True


class Entitlements:
    """Keeps the *limit* tickets that were asked for last.

    *poll_s* is the time between two looks at the log, *monotonic* a clock in seconds for that.
    """

    def __init__(
        self,
        tickets: Tickets,
        event_log: EventLog,
        *,
        poll_s: float,
        limit: int,
        audit_s: float = _AUDIT_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tickets = tickets
        self._log = event_log
        self._poll_s = poll_s
        self._limit = limit
        self._audit_s = audit_s
        self._monotonic = monotonic
        self._standings: OrderedDict[str, Standing] = OrderedDict()
        self._by_purchase: dict[int, str] = {}
        self._by_screening: dict[int, set[str]] = {}
        self._position = 0
        self._looked_at: float | None = None
        self._kicks = 0
        self._kicks_seen = -1
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

    async def stop(self) -> None:
        """End; a look that is under way is waited for."""
        self._running = False
        self._kicked.set()
        await ended(self._worker)
        if self._look is not None:
            with suppress(DatabaseError):
                await self._look

    def kick(self) -> None:
        """Something was written to the log here: nothing is fresh until it was looked at."""
        self._kicks += 1
        self._kicked.set()

    async def catch_up(self) -> None:
        """Look at the log, and return when all that stood in it was seen; raises DatabaseError."""
        self.kick()
        await self._be_fresh()

    async def standing(self, correlation_id: str) -> Standing:
        """The ticket as it is: after all that stood in the log when this was asked.

        Where the database does not answer, what is known of the ticket holds: her sound goes on.
        Raises TicketNotFoundError, DatabaseError.
        """
        try:
            await self._be_fresh()
        except DatabaseError:
            if correlation_id not in self._standings:
                raise
        return await self.known(correlation_id)

    async def known(self, correlation_id: str) -> Standing:
        """The ticket as the last look at the log left it; read where it was not asked for lately.

        Raises TicketNotFoundError, DatabaseError.
        """
        standing = self._standings.get(correlation_id)
        if standing is not None:
            self._standings.move_to_end(correlation_id)
            return standing
        found = await self._known.get(correlation_id)
        if found is None:
            raise TicketNotFoundError(correlation_id)
        return self._keep(*found)

    async def held(self, listener_id: str, correlation_id: str) -> Standing:
        """The ticket as it is now, if the listener holds it; always read.

        Raises TicketNotFoundError, DatabaseError.
        """
        found = await self._held.get((listener_id, correlation_id))
        if found is None:
            raise TicketNotFoundError(correlation_id)
        return self._keep(*found)

    def forget(self, correlation_ids: Iterable[str]) -> None:
        """Keep nothing of these tickets: they may have been erased here, which no event tells."""
        for name in correlation_ids:
            self._drop(name)

    async def _read_known(self, names: Collection[str]) -> dict[str, tuple[Known, int]]:
        """Each ticket with the place in the log that had been read before it was."""
        position = self._position
        found = await self._tickets.known(names)
        return {known.ticket.correlation_id: (known, position) for known in found}

    async def _read_held(
        self, pairs: Collection[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[Known, int]]:
        """The same for tickets in the hands of listeners."""
        position = self._position
        found = await self._tickets.in_hands({name for _, name in pairs})
        return {
            (each.listener_id, each.ticket.correlation_id): (
                Known(each.purchase_id, each.ticket),
                position,
            )
            for each in found
        }

    def _keep(self, known: Known, position: int) -> Standing:
        """Remember what was read after the log was read up to *position*."""
        name = known.ticket.correlation_id
        kept = self._standings.get(name)
        if kept is not None and kept.ticket == known.ticket:
            self._standings.move_to_end(name)
            return kept
        self._drop(name)
        standing = Standing(known)
        if position != self._position:
            # The log has gone on meanwhile, maybe about this ticket: good for this once.
            standing.valid = False
            return standing
        self._standings[name] = standing
        self._by_purchase[known.purchase_id] = name
        if known.ticket.screening is not None:
            self._by_screening.setdefault(known.ticket.screening.id, set()).add(name)
        if len(self._standings) > self._limit:
            self._drop(next(iter(self._standings)))
        return standing

    def _drop(self, correlation_id: str) -> None:
        standing = self._standings.pop(correlation_id, None)
        if standing is None:
            return
        standing.valid = False
        del self._by_purchase[standing.purchase_id]
        if standing.ticket.screening is not None:
            its = self._by_screening[standing.ticket.screening.id]
            its.discard(correlation_id)
            if not its:
                del self._by_screening[standing.ticket.screening.id]

    async def _be_fresh(self) -> None:
        """Return when a look has ended that began about now or later, and after all kicks."""
        oldest = self._monotonic()
        kicks = self._kicks
        while self._looked_at is None or self._looked_at < oldest or self._kicks_seen < kicks:
            if self._look is None:
                # One for all who wait; a client that goes away does not end it for the others.
                self._look = asyncio.create_task(self._look_at_log())
                self._look.add_done_callback(told)
            await asyncio.shield(self._look)

    async def _look_at_log(self) -> None:
        began, kicks = self._monotonic(), self._kicks
        try:
            while True:
                found = await self._log.after(self._position, _BATCH)
                for event in found:
                    self._note(event)
                if found:
                    self._position = found[-1].id
                if len(found) < _BATCH:
                    break
            self._looked_at, self._kicks_seen = began, kicks
        finally:
            # Here, and not when the task is done: whoever comes meanwhile begins another.
            self._look = None

    def _note(self, event: Event) -> None:
        if event.purchase_id is not None and event.purchase_id in self._by_purchase:
            self._drop(self._by_purchase[event.purchase_id])
        if event.screening_id is not None:
            for name in tuple(self._by_screening.get(event.screening_id, ())):
                self._drop(name)

    async def _run(self) -> None:
        audit_at = self._monotonic() + self._audit_s
        while self._running:
            self._kicked.clear()
            try:
                await self._be_fresh()
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
        if (await self._log.span()).last < self._position:
            # The database of before: it was restored, and its log begins anew.
            self._position = 0
        names = list(self._standings)
        for first in range(0, len(names), _AUDITED_AT_ONCE):
            some = names[first : first + _AUDITED_AT_ONCE]
            before = {name: self._standings.get(name) for name in some}
            now = {
                known.ticket.correlation_id: known.ticket
                for known in await self._tickets.known(some)
            }
            for name, standing in before.items():
                if standing is not None and standing.ticket != now.get(name):
                    self._drop(name)
