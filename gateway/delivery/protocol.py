"""Connections of the gateway: the sound takes short ways, everything else the HTTP library's.

A request is offered to the courier and the usher only between two others: nothing of an earlier one
may be unread, unanswered or unsent. Everything else is the library's, byte for byte.
"""

from __future__ import annotations

import asyncio
import heapq
import socket
import sys
from asyncio.trsock import TransportSocket
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, cast

from aiohttp import web

from gateway.delivery.courier import Courier, Packet
from gateway.delivery.doors import Door
from gateway.delivery.heads import HeadReader, body_left
from gateway.delivery.long_way import LongWay
from gateway.delivery.room import Room, connections_for, raise_descriptors
from gateway.delivery.sending import send_packet
from gateway.delivery.usher import Usher
from gateway.keys import COURIER, METRICS, SETTINGS, USHER
from gateway.settings import ServerSettings

_BEGINNINGS = (b"GET /stream/", b"GET /media/audio/")
# Bytes that are taken of what comes before an answer is sent; the rest waits in the kernel.
_MOST_WAITING = 64 * 1024
# Bytes that the kernel keeps for a client beyond those that are on their way.
_MOST_UNSENT = 128 * 1024
# What a client still sends after it was answered is read and dropped for so long: closed at once,
# it might never see the answer (RFC 9112 9.6).
_LINGER_S = 2.0


class Connection(asyncio.Protocol):
    """One client's connection to *house*."""

    __slots__ = (
        *("_answering", "_body_left", "_courier", "_deaf", "_heads", "_house", "_long_way"),
        *("_loop", "_paused", "_sent", "_socket", "_timer", "_transport", "_until", "_usher"),
        *("_waiting", "_was_answered"),
    )

    def __init__(self, house: _Server, loop: asyncio.AbstractEventLoop) -> None:
        self._house = house
        self._loop = loop
        self._courier = house.courier
        self._usher = house.usher
        # The library's part, once there is something for it.
        self._long_way: LongWay | None = None
        # What the usher is about to answer, and what came meanwhile.
        self._answering: asyncio.Task[None] | None = None
        self._waiting = b""
        self._heads = HeadReader()
        self._transport: asyncio.Transport | None = None
        self._socket: socket.socket | None = None
        # A slow reader: it has to take what there is before more is sent.
        self._paused = False
        # Who waits for the last of it.
        self._sent: asyncio.Future[None] | None = None
        self._was_answered = False
        # Nothing is looked at any more.
        self._deaf = False
        # Of the request that the library reads; -1 where that is not known, for good.
        self._body_left = 0
        # When it is closed where it is idle, by the loop's clock; the library's knows for itself.
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._house.came(self)
        rules = self._house.rules
        self._until = self._loop.time() + rules.request_s
        self._timer = self._loop.call_at(self._until, self._look_whether_idle)
        if sys.platform == "linux":
            line: TransportSocket = transport.get_extra_info("socket")
            # The kernel ends what takes nothing for so long, however it keeps its window shut
            # (tcp(7)), and what was to be closed behind it.
            stalled_ms = int(rules.stalled_s * 1000)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, stalled_ms)
            # Or the kernel would keep megabytes for each who takes nothing.
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _MOST_UNSENT)
            # Encrypted bytes must go through the transport, and other systems know no MSG_MORE.
            if transport.get_extra_info("sslcontext") is None:
                # The transport's own shows no `send`; it goes on to own the descriptor.
                self._socket = socket.socket(
                    line.family, line.type, line.proto, fileno=line.fileno()
                )

    def connection_lost(self, exc: BaseException | None) -> None:
        """End."""
        if self._socket is not None:
            self._socket.detach()
            self._socket = None
        self._rest()
        self._transport = None
        self._is_sent()
        if self._long_way is not None:
            self._long_way.connection_lost(exc)
        self._house.left(self)

    def pause_writing(self) -> None:
        """The client does not take what there is."""
        self._paused = True
        if self._long_way is not None:
            self._long_way.pause_writing()

    def resume_writing(self) -> None:
        """It has taken it."""
        self._paused = False
        self._is_sent()
        if self._long_way is not None:
            self._long_way.resume_writing()

    def _is_sent(self) -> None:
        if self._sent is not None and not self._sent.done():
            self._sent.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Answer by a short way, or hand everything on."""
        if self._deaf:
            return
        if self._answering is not None:
            # In its turn.
            self._waiting += data
            if len(self._waiting) > _MOST_WAITING and self._transport is not None:
                self._transport.pause_reading()
            return
        if self._body_left == 0 and data.startswith(_BEGINNINGS) and self._is_between():
            if self._courier.answer(data, self._heads, self._send):
                self._keep_alive()
                return
            answer = self._usher.answer(data)
            if answer is not None:
                self._keep_alive()
                if isinstance(answer, bytes):
                    self._write(answer)
                    return
                self._answering = self._loop.create_task(self._answer(data, answer))
                return
        self._hand_on(data)

    async def _answer(self, data: bytes, answer: Coroutine[Any, Any, bytes | None]) -> None:
        """Send what the usher answers; where it does not, hand the request *data* on."""
        said: bytes | None = None
        try:
            said = await answer
        finally:
            # In any case: behind an error that nobody foresaw the library answers, too.
            self._answering = None
            transport = self._transport
            if transport is not None and not transport.is_closing():
                waiting, self._waiting = self._waiting, b""
                transport.resume_reading()
                if said is None:
                    self._hand_on(data)
                else:
                    transport.write(said)
                    self._keep_alive()
                if waiting:
                    self.data_received(waiting)

    def _write(self, answer: bytes) -> None:
        if self._transport is not None:
            self._transport.write(answer)

    def _keep_alive(self) -> None:
        """Count the time until an idle connection is closed from now."""
        self._was_answered = True
        self._until = self._loop.time() + self._house.rules.idle_s
        if self._long_way is not None:
            self._long_way.wait_until(self._until)

    def _look_whether_idle(self) -> None:
        if self._answering is not None:
            self._until = max(self._until, self._loop.time() + self._house.rules.request_s)
        if self._loop.time() < self._until:
            self._timer = self._loop.call_at(self._until, self._look_whether_idle)
        else:
            self.force_close()

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _hand_on(self, data: bytes) -> None:
        """Give *data* to the library."""
        begins = self._body_left == 0
        if data and self._body_left >= 0:
            if begins:
                self._body_left = body_left(data)
            else:
                left = self._body_left - len(data)
                self._body_left = left if left >= 0 else -1
        if self._long_way is None and self._transport is not None:
            self._rest()
            self._long_way = self._house.long_way()
            self._long_way.take_over(self._transport, until=self._until, paused=self._paused)
        if self._long_way is not None and not self._long_way.deaf:
            self._long_way.take(data, begins=begins)

    def _is_between(self) -> bool:
        """Whether every request of before is answered, and its answer on its way."""
        return (
            # A slow reader gets the library's back-pressure.
            not self._paused
            and not self._house.resting
            and (self._long_way is None or self._long_way.waits)
        )

    def _send(self, packet: Packet) -> None:
        if self._transport is not None:
            send_packet(packet, self._transport, self._socket)

    @property
    def idle(self) -> bool:
        """Whether it only waits for a request, and all that was answered is sent."""
        return (
            self._answering is None
            and (self._long_way is None or not self._long_way.works)
            and (self._transport is None or not self._transport.get_write_buffer_size())
        )

    @property
    def worth(self) -> tuple[bool, float]:
        """Of idle ones the least makes way: never answered, then longest idle."""
        if self._long_way is None:
            return self._was_answered, self._until
        return self._was_answered or self._long_way.was_asked, self._long_way.until

    def force_close(self) -> None:
        """Close it; what was answered is still sent."""
        if self._long_way is not None:
            self._long_way.force_close()
        elif self._transport is not None:
            self._transport.close()

    def begin_no_more(self) -> None:
        """Look at nothing that comes; what was asked is answered."""
        self._deaf = True

    async def shutdown(self, timeout_s: float | None) -> None:
        """End when what was answered is sent, but wait for at most *timeout_s*.

        A download has more: it is the one answer that a slow line takes long for.
        """
        if self._long_way is not None:
            await self._long_way.file_is_sent(self._house.rules.download_drain_s)
        if self._answering is not None:
            await asyncio.wait([self._answering], timeout=timeout_s)
        transport, works = self._transport, self._long_way is not None and self._long_way.works
        if transport is not None and not transport.is_closing() and not works:
            # From here on "paused" means that there is something left to send.
            transport.set_write_buffer_limits(high=0)
            if self._paused:
                self._sent = self._loop.create_future()
                with suppress(TimeoutError):
                    async with asyncio.timeout(timeout_s):
                        await self._sent
        if self._long_way is not None:
            await self._long_way.shutdown(timeout_s)
        elif transport is not None:
            transport.close()


class _Server(web.Server):
    """Makes our connections in place of the library's, and knows how many there are."""

    courier: Courier
    usher: Usher
    rules: ServerSettings
    room: Room
    # No short way from here on: the library's says that the connection is about to close.
    resting = False

    def __init__(self, handler: Any, **options: Any) -> None:
        super().__init__(handler, **options)
        self.open: set[Connection] = set()

    def __call__(self) -> Any:
        """A connection: a protocol, which is all that a loop or a site asks of it."""
        return Connection(self, self._loop)

    def long_way(self) -> LongWay:
        """The library's part of a connection."""
        return LongWay(self, loop=self._loop, **self._kwargs)

    def came(self, connection: Connection) -> None:
        """A connection stands."""
        self.open.add(connection)
        self.room.came()

    def left(self, connection: Connection) -> None:
        """It is gone."""
        self.open.discard(connection)
        self.room.left()

    def idle(self) -> list[Connection]:
        """The connections on which nothing is asked or answered."""
        return [each for each in self.open if each.idle]

    def make_way(self, count: int) -> int:
        """Close those that have been idle longest, *count* at most; how many."""
        closed = heapq.nsmallest(count, self.idle(), key=lambda each: each.worth)
        for each in closed:
            each.force_close()
        return len(closed)

    def pre_shutdown(self) -> None:
        super().pre_shutdown()
        for each in self.open:
            each.begin_no_more()

    async def shutdown(self, timeout: float | None = None) -> None:
        # The library's parts with them.
        await asyncio.gather(*(each.shutdown(timeout) for each in self.open))
        self._connections.clear()


class Runner(web.AppRunner):
    """Runs a gateway whose sound takes the short way."""

    async def _make_server(self) -> web.Server:
        rules = self.app[SETTINGS].server
        # Whoever packs a body packs it to be refused: nothing is unpacked to find that out.
        self._kwargs |= {
            "keepalive_timeout": rules.idle_s,
            "lingering_time": _LINGER_S,
            "auto_decompress": False,
        }
        server = await super()._make_server()
        ours = _Server(
            server.request_handler,
            request_factory=server.request_factory,
            handler_cancellation=server.handler_cancellation,
            loop=server._loop,
            **server._kwargs,
        )
        ours.courier = self.app[COURIER]
        ours.usher = self.app[USHER]
        ours.rules = rules
        most = connections_for(raise_descriptors(), self.app[SETTINGS].delivery.open_files)
        ours.room = Room(
            min(rules.max_connections or most, most),
            ours.make_way,
            self.app[METRICS].connections_closed.inc,
        )
        self._house = ours
        return ours

    def door(self, listener: socket.socket, backlog: int) -> Door:
        """By which connections of *listener* come in; once it is set up."""
        return Door(self, self._house, self._house.room, listener, backlog)

    @property
    def is_empty(self) -> bool:
        """Whether there is no connection."""
        return not self._house.open

    def rest(self) -> None:
        """Let nothing take the short way any more."""
        self._house.resting = True

    def close_idle(self) -> None:
        """Close the connections on which nothing is asked or answered."""
        for each in self._house.idle():
            each.force_close()
