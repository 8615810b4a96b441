"""From the events' log to the listeners who are connected: one reader for all of them.

The log is in the database and the same for all replicas. An event costs a look at who holds its
tickets, and then only those of them who are connected here. A listener whose line is too slow is
let go: she reconnects, and what she missed is replayed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import structlog

from catalog.errors import DatabaseError
from catalog.listeners.events import Event, EventLog, purchase_rows, screening_rows
from catalog.purchases.tickets import Held, Tickets
from catalog.workers import ended, is_alive, spawn
from gateway import sse
from gateway.errors import EventStreamsFullError
from gateway.present import TicketPresenter

log = structlog.get_logger(__name__)

_BATCH = 500
# Who missed more than this reads her tickets anew, which is less work for both.
_MOST_REPLAYED = 100
# After a failure of the database.
_PAUSE_S = 1.0
_RESET = "reset"


class Subscription:
    """One connection of a listener: what she is to be sent, in order.

    `position` is the last event that it has taken note of.
    """

    def __init__(self, listener_id: str, capacity: int) -> None:
        self.listener_id = listener_id
        self.position = 0
        self.ended = False
        # Called when it is let go while the sender may wait for a line that takes nothing.
        self.on_drop: Callable[[], None] = lambda: None
        self._capacity = capacity
        self._frames: deque[bytes] = deque()
        self._news = asyncio.Event()

    def offer(self, event_id: int, frames: Sequence[bytes]) -> bool:
        """Queue the frames of an event; False where they do not fit, and then it is over."""
        if self.ended or event_id <= self.position:
            return True
        self.position = event_id
        if len(self._frames) + len(frames) > self._capacity:
            self.end()
            self.on_drop()
            return False
        self._frames.extend(frames)
        self._news.set()
        return True

    def begin_with(self, frames: Sequence[bytes]) -> None:
        """Send *frames* before all that was offered until now."""
        self._frames.extendleft(reversed(frames))
        self._news.set()

    def end(self) -> None:
        """Send nothing more."""
        self.ended = True
        self._frames.clear()
        self._news.set()

    async def frames(self, heartbeat_s: float) -> AsyncIterator[bytes]:
        """What is to be sent, with a heartbeat where nothing was for *heartbeat_s*; until the end.

        A heartbeat tells the position, so that a listener who hears of nothing for a day can still
        reconnect behind what was pruned since.
        """
        while not self.ended:
            while self._frames:
                yield self._frames.popleft()
            self._news.clear()
            try:
                async with asyncio.timeout(heartbeat_s):
                    await self._news.wait()
            except TimeoutError:
                if not self._frames and not self.ended:
                    yield sse.position(self.position)


class EventFeed:
    """Reads the log and hands each event to the connections of those who hold its tickets.

    *on_sent* is told the kind of each event and to how many connections it went, *on_connections*
    how many there are, *on_slow* of each that was too slow; *on_kick* is called with each `kick`.
    """

    def __init__(
        self,
        event_log: EventLog,
        tickets: Tickets,
        presenter: TicketPresenter,
        *,
        poll_s: float,
        queue_limit: int,
        max_connections: int,
        max_per_listener: int,
        on_sent: Callable[[str, int], None] = lambda kind, count: None,
        on_connections: Callable[[int], None] = lambda count: None,
        on_slow: Callable[[], None] = lambda: None,
        on_kick: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_kick = on_kick
        self._log = event_log
        self._tickets = tickets
        self._presenter = presenter
        self._poll_s = poll_s
        self._queue_limit = queue_limit
        self._max_connections = max_connections
        self._max_per_listener = max_per_listener
        self._on_sent = on_sent
        self._on_connections = on_connections
        self._on_slow = on_slow
        self._by_listener: dict[str, list[Subscription]] = {}
        self._connections = 0
        self._position = 0
        self._kicked = asyncio.Event()
        self._running = False
        self._worker: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether the worker is at work: False before start, after stop, and after a bug."""
        return is_alive(self._worker)

    async def start(self) -> None:
        """Begin to read."""
        self._running = True
        self._worker = spawn(self._run(), "event feed")

    async def stop(self) -> None:
        """Let all connections go and end."""
        self.close()
        await ended(self._worker)

    def close(self) -> None:
        """Let all connections go: the server stops, and would wait for them."""
        self._running = False
        for subscriptions in self._by_listener.values():
            for subscription in subscriptions:
                subscription.end()
        self.kick()

    def kick(self) -> None:
        """Look at the log now: something was written to it here."""
        self._on_kick()
        self._kicked.set()

    @asynccontextmanager
    async def subscribe(
        self, listener_id: str, last_seen: int | None
    ) -> AsyncIterator[Subscription]:
        """A connection of the listener, which goes on behind event *last_seen* where she has one.

        Where what came since is not all kept, she gets a `reset`: to read her tickets anew. One who
        comes after `close` gets an end. Raises EventStreamsFullError, DatabaseError.
        """
        subscription = Subscription(listener_id, self._queue_limit)
        if not self._running:
            subscription.end()
            yield subscription
            return
        if self._connections >= self._max_connections:
            raise EventStreamsFullError(self._max_connections)
        self._connections += 1
        self._on_connections(self._connections)
        try:
            span = await self._log.span()
            if not self._by_listener:
                # Nobody was here to read for.
                self._position = max(self._position, span.last)
            live_from = max(span.last, self._position)
            self._add(subscription, live_from)
            missed = await self._missed(listener_id, last_seen, live_from)
            subscription.begin_with(missed)
            yield subscription
        finally:
            self._remove(subscription)

    def _add(self, subscription: Subscription, position: int) -> None:
        subscription.position = position
        its = self._by_listener.setdefault(subscription.listener_id, [])
        while len(its) >= self._max_per_listener:
            # A phone that changes networks leaves dead connections behind: the oldest go.
            oldest = its.pop(0)
            oldest.end()
            oldest.on_drop()
        its.append(subscription)

    def _remove(self, subscription: Subscription) -> None:
        its = self._by_listener.get(subscription.listener_id, [])
        with suppress(ValueError):
            its.remove(subscription)
        if not its:
            self._by_listener.pop(subscription.listener_id, None)
        self._connections -= 1
        self._on_connections(self._connections)

    async def _missed(self, listener_id: str, last_seen: int | None, up_to: int) -> list[bytes]:
        """The first frames of a connection: what the listener missed, and where she stands."""
        here = sse.position(up_to)
        if last_seen is None:
            return [here]
        # Looked at again: it may have been pruned since.
        span = await self._log.span()
        if not span.reaches(last_seen):
            return [sse.frame(_RESET, "{}", up_to)]
        found = await self._log.of_listener(listener_id, last_seen, up_to, _MOST_REPLAYED + 1)
        if len(found) > _MOST_REPLAYED:
            return [sse.frame(_RESET, "{}", up_to)]
        if not found:
            return [here]
        held = await self._tickets.audience(screening_rows(found), purchase_rows(found))
        frames = await self._frames(
            found, [each for each in held if each.listener_id == listener_id]
        )
        return [*(frame for _, its in frames for frame in its.get(listener_id, ())), here]

    async def _run(self) -> None:
        while self._running:
            self._kicked.clear()
            wait_s = self._poll_s
            if self._by_listener:
                try:
                    while await self._dispatch():
                        pass
                except DatabaseError as error:
                    log.warning("events_not_read", error=str(error))
                    wait_s = _PAUSE_S
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._kicked.wait()

    async def _dispatch(self) -> bool:
        """Hand on what is new; whether there may be more."""
        found = await self._log.after(self._position, _BATCH)
        if not found:
            return False
        held = await self._tickets.audience(screening_rows(found), purchase_rows(found))
        here = [each for each in held if each.listener_id in self._by_listener]
        for event, its in await self._frames(found, here):
            sent = 0
            for listener_id, frames in its.items():
                for subscription in list(self._by_listener.get(listener_id, ())):
                    if subscription.offer(event.id, frames):
                        sent += 1
                    else:
                        self._on_slow()
            self._on_sent(event.kind, sent)
        self._position = found[-1].id
        return len(found) == _BATCH

    async def _frames(
        self, found: Sequence[Event], held: Sequence[Held]
    ) -> list[tuple[Event, dict[str, list[bytes]]]]:
        """Each event with its frames for each listener: one for each of her tickets."""
        views = await self._presenter.views([each.ticket for each in held])
        shown: dict[str, str] = {
            view.correlation_id: (
                f'{{"correlation_id":"{view.correlation_id}","ticket":{view.model_dump_json()}}}'
            )
            for view in views
        }
        result = []
        for event in found:
            data: dict[str, list[str]] = {}
            for each in held:
                if _concerns(event, each):
                    data.setdefault(each.listener_id, []).append(shown[each.ticket.correlation_id])
            result.append((event, {who: _framed(event, its) for who, its in data.items()}))
        return result


def _framed(event: Event, data: Sequence[str]) -> list[bytes]:
    *first, last = data
    return [
        *(sse.frame(event.kind, each) for each in first),
        sse.frame(event.kind, last, event.id),
    ]


def _concerns(event: Event, held: Held) -> bool:
    if event.purchase_id is not None:
        return event.purchase_id == held.purchase_id
    return held.ticket.screening is not None and held.ticket.screening.id == event.screening_id
