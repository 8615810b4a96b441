"""The long way: what the HTTP library does on a connection, from the first that it is asked there.

Made when it is needed: a phone that joins takes short ways alone, and the library's part of a
connection (a parser, a task that waits, a timer) costs as much as two of its requests.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from gateway.delivery.courier import ROUTE

# Of a packet in whose first so many bytes no head ends, these are parsed before the rest.
_LARGE_HEAD = 16 * 1024


class LongWay(web.RequestHandler):
    """The library's part of a connection; *options* are the library's."""

    __slots__ = ("deaf",)

    def __init__(self, manager: web.Server, **options: Any) -> None:
        super().__init__(manager, **options)
        # What could not be read is answered, and nothing after it is looked at.
        self.deaf = False

    def take_over(self, transport: asyncio.Transport, *, until: float, paused: bool) -> None:
        """Begin on a *transport* that stands, *paused* where it takes no more.

        What is idle at *until*, by the loop's clock, is closed.
        """
        self.connection_made(transport)
        if paused:
            self.pause_writing()
        # Who has just come has less time for a head than a listener between two.
        if self._keepalive_handle is not None:
            self._keepalive_handle.cancel()
        self.wait_until(until)
        self._keepalive_handle = self._loop.call_at(until, self._process_keepalive)

    def wait_until(self, until: float) -> None:
        """Close what is idle at *until*, by the loop's clock."""
        self._next_keepalive_close_time = until

    def take(self, data: bytes, *, begins: bool) -> None:
        """Read *data*, which *begins* with a request or goes on with one."""
        head = data[:_LARGE_HEAD]
        if begins and len(data) > len(head) and b"\n\r\n" not in head and b"\n\n" not in head:
            # The library quotes, logs and answers all that it refuses, four bytes for each.
            before = self._request_count
            self.data_received(head)
            # Without its end it can only have been refused.
            self.deaf = self._request_count > before
            if self.deaf:
                return
            data = data[len(head) :]
        self.data_received(data)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what could not be read, or what no route answered, and close."""
        self.deaf = True
        try:
            return super().handle_error(request, status, exc, message)
        finally:
            if exc is not None:
                # Its frames hold what was read, and they hold the error: a ring, which would lie
                # about until the collector goes through all that there is.
                exc.__traceback__ = None

    @property
    def waits(self) -> bool:
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
            and self.transport is not None
        )

    @property
    def works(self) -> bool:
        """Whether a request is being answered, or has to be."""
        return self._request_in_progress or bool(self._messages)

    @property
    def until(self) -> float:
        """When what is idle is closed, by the loop's clock."""
        return self._next_keepalive_close_time

    @property
    def was_asked(self) -> bool:
        """Whether anything whole was ever asked."""
        return self._request_count > 0

    async def file_is_sent(self, timeout_s: float) -> None:
        """Return when it sends no download any more, nor whatever of a file took the long way."""
        request = self._current_request
        if not isinstance(request, web.Request) or self._task_handler is None:
            return
        resource = request.match_info.route.resource
        if resource is not None and resource.canonical == ROUTE:
            # It ends with this answer, since no further one is begun by now.
            await asyncio.wait([self._task_handler], timeout=timeout_s)
