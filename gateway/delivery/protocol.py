"""Connections of the gateway: the HTTP library's own, but that the sound may take the short way.

A request is offered to the courier and the usher only between two others: nothing of an earlier one
may be unread, unanswered or unsent. Everything else is the library's, byte for byte.
"""

from __future__ import annotations

import asyncio
import heapq
import os
import socket
import sys
from asyncio.trsock import TransportSocket
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from aiohttp import web

from gateway.delivery.courier import ROUTE, Courier, Packet
from gateway.delivery.doors import Door
from gateway.delivery.heads import HeadReader, body_left
from gateway.delivery.room import Room, connections_for, raise_descriptors
from gateway.delivery.usher import Usher
from gateway.keys import COURIER, METRICS, SETTINGS, USHER
from gateway.settings import ServerSettings

_BEGINNINGS = (b"GET /stream/", b"GET /media/audio/")
# Bytes that are taken of what comes before an answer is sent; the rest waits in the kernel.
_MOST_WAITING = 64 * 1024
# Bytes that the kernel keeps for a client beyond those that are on their way.
_MOST_UNSENT = 128 * 1024
# Of a packet in whose first so many bytes no head ends, these are parsed before the rest.
_LARGE_HEAD = 16 * 1024
# What a client still sends after it was answered is read and dropped for so long: closed at once,
# it might never see the answer (RFC 9112 9.6).
_LINGER_S = 2.0


class Connection(web.RequestHandler):
    """One client's connection."""

    __slots__ = (
        *("_answering", "_body_left", "_courier", "_heads", "_house", "_socket", "_usher"),
        *("_deaf", "_waiting", "_was_answered"),
    )

    def __init__(self, manager: _Server, courier: Courier, usher: Usher, **options: Any) -> None:
        super().__init__(manager, **options)
        self._house = manager
        self._courier = courier
        self._usher = usher
        # What the usher is about to answer, and what came meanwhile.
        self._answering: asyncio.Task[None] | None = None
        self._waiting = b""
        self._heads = HeadReader()
        self._socket: socket.socket | None = None
        self._was_answered = False
        # What could not be read is answered, and nothing after it is looked at.
        self._deaf = False
        # Of the request that the library reads; -1 where that is not known, for good.
        self._body_left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        super().connection_made(transport)
        rules = self._house.rules
        # Who has just come has less time for a head than a listener between two.
        if self._keepalive_handle is not None:
            self._keepalive_handle.cancel()
        self._next_keepalive_close_time = self._loop.time() + rules.request_s
        self._keepalive_handle = self._loop.call_at(
            self._next_keepalive_close_time, self._process_keepalive
        )
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
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Answer by a short way, or hand everything on."""
        if self._deaf:
            return
        if self._answering is not None:
            # In its turn.
            self._waiting += data
            if len(self._waiting) > _MOST_WAITING and self.transport is not None:
                self.transport.pause_reading()
            return
        if self._body_left == 0 and data.startswith(_BEGINNINGS) and self._is_idle():
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
            transport = self.transport
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
        if self.transport is not None:
            self.transport.write(answer)

    def _keep_alive(self) -> None:
        """Count the time until an idle connection is closed from now."""
        self._was_answered = True
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout

    def _hand_on(self, data: bytes) -> None:
        """Give *data* to the library."""
        begins = self._body_left == 0
        if data and self._body_left >= 0:
            if begins:
                self._body_left = body_left(data)
            else:
                left = self._body_left - len(data)
                self._body_left = left if left >= 0 else -1
        head = data[:_LARGE_HEAD]
        if begins and len(data) > len(head) and b"\n\r\n" not in head and b"\n\n" not in head:
            # The library quotes, logs and answers all that it refuses, four bytes for each.
            before = self._request_count
            super().data_received(head)
            # Without its end it can only have been refused.
            self._deaf = self._request_count > before
            if self._deaf:
                return
            data = data[len(head) :]
        super().data_received(data)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what could not be read, or what no route answered, and close."""
        self._deaf = True
        try:
            return super().handle_error(request, status, exc, message)
        finally:
            if exc is not None:
                # Its frames hold what was read, and they hold the error: a ring, which would lie
                # about until the collector goes through all that there is.
                exc.__traceback__ = None

    def _is_idle(self) -> bool:
        """Whether every request of before is answered, and its answer on its way."""
        return (
            # The library waits for the next request.
            self._waiter is not None
            and not self._waiter.done()
            and not self._messages
            and not self._close
            and not self._force_close
            and not self._upgraded
            and not self._reading_paused
            and not self._buffer_paused
            # A slow reader gets the library's back-pressure.
            and not self._paused
            and self.transport is not None
            and not self._house.resting
        )

    def _send(self, packet: Packet) -> None:
        """Send in one go; what the socket does not take at once is copied and sent later."""
        transport = self.transport
        if transport is None:
            return
        sent = 0
        if self._socket is not None and not transport.get_write_buffer_size():
            try:
                sent = _send_at_once(self._socket, packet)
            except OSError:
                # The client went away; the loop finds that out by itself.
                transport.abort()
                return
        body_sent = max(0, sent - len(packet.head))
        if sent < len(packet.head):
            transport.write(packet.head[sent:])
        if body_sent < packet.size:
            rest = os.pread(packet.descriptor, packet.size - body_sent, packet.first + body_sent)
            transport.write(rest)
            if len(rest) < packet.size - body_sent:
                # Cut off under our hands: the client sees a short answer, and asks again.
                transport.abort()

    @property
    def idle(self) -> bool:
        """Whether it only waits for a request, and all that was answered is sent."""
        transport = self.transport
        return (
            not self._request_in_progress
            and not self._messages
            and self._answering is None
            and (transport is None or not transport.get_write_buffer_size())
        )

    @property
    def worth(self) -> tuple[bool, float]:
        """Of idle ones the least makes way: never answered, then longest idle."""
        return self._was_answered or self._request_count > 0, self._next_keepalive_close_time

    @property
    def sends_a_file(self) -> bool:
        """Whether it is answering a download, or whatever of a file took the long way."""
        request = self._current_request
        if not isinstance(request, web.Request):
            return False
        resource = request.match_info.route.resource
        return resource is not None and resource.canonical == ROUTE

    async def shutdown(self, timeout: float | None = 15.0) -> None:
        """End when what was answered is sent, but wait for at most *timeout* seconds.

        A download has more: it is the one answer that a slow line takes long for.
        """
        if self.sends_a_file and self._task_handler is not None:
            # It ends with this answer, since no further one is begun by now.
            await asyncio.wait([self._task_handler], timeout=self._house.rules.download_drain_s)
        if self._answering is not None:
            await asyncio.wait([self._answering], timeout=timeout)
        transport = self.transport
        if transport is not None and not transport.is_closing() and not self._request_in_progress:
            # From here on "paused" means that there is something left to send.
            transport.set_write_buffer_limits(high=0)
            with suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(timeout):
                    await self._drain_helper()
        await super().shutdown(timeout)


def _send_at_once(line: socket.socket, packet: Packet) -> int:
    """Send what the socket takes now; how many bytes. Raises OSError where the client is gone."""
    sent = 0
    if sys.platform == "linux":
        # Full: what is left waits in the transport.
        with suppress(BlockingIOError):
            # Head and body leave in the same segments of TCP (MSG_MORE of send(2)).
            sent = line.send(packet.head, socket.MSG_MORE)
            if sent == len(packet.head):
                sent += os.sendfile(line.fileno(), packet.descriptor, packet.first, packet.size)
    return sent


class _Server(web.Server):
    """Makes our connections in place of the library's, and knows how many there are."""

    courier: Courier
    usher: Usher
    rules: ServerSettings
    room: Room
    # No short way from here on: the library's says that the connection is about to close.
    resting = False

    def __call__(self) -> web.RequestHandler:
        return Connection(self, self.courier, self.usher, loop=self._loop, **self._kwargs)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self.room.came()

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        super().connection_lost(handler, exc)
        self.room.left()

    def idle(self) -> list[Connection]:
        """The connections on which nothing is asked or answered."""
        return [each for each in self.connections if isinstance(each, Connection) and each.idle]

    def make_way(self, count: int) -> int:
        """Close those that have been idle longest, *count* at most; how many."""
        closed = heapq.nsmallest(count, self.idle(), key=lambda each: each.worth)
        for each in closed:
            each.force_close()
        return len(closed)


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

    def rest(self) -> None:
        """Let nothing take the short way any more."""
        self._house.resting = True

    def close_idle(self) -> None:
        """Close the connections on which nothing is asked or answered."""
        for each in self._house.idle():
            each.force_close()
