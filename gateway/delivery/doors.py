"""A door: a listening socket that takes connections as long as there is room for them.

The event loop's own way takes whatever comes until no file descriptor is left, and then logs a
traceback for each connection that waits, again each second. Here those that find no room wait in
the kernel's queue, and come in as soon as somebody leaves.
"""

from __future__ import annotations

import asyncio
import errno
import socket

from aiohttp import web

from gateway.delivery.room import Room

# No room for a connection: nothing that is wrong with this one (accept(2)).
_OUT = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
# So many are taken before others get their turn.
_AT_ONCE = 128
# Somebody may have become idle without leaving.
_LOOK_AGAIN_S = 1.0


class Door(web.BaseSite):
    """Takes connections of *listener*, which `stop` closes, for *house*, the server of *runner*."""

    def __init__(
        self,
        runner: web.BaseRunner,
        house: web.Server,
        room: Room,
        listener: socket.socket,
        backlog: int,
    ) -> None:
        super().__init__(runner, backlog=backlog)
        self._house = house
        self._listener = listener
        self._room = room
        self._loop = asyncio.get_running_loop()
        self._welcomes: set[asyncio.Task[None]] = set()
        self._later: asyncio.TimerHandle | None = None
        self._open = False

    @property
    def name(self) -> str:
        """Its address."""
        host, port = self._listener.getsockname()[:2]
        return f"http://{host}:{port}"

    async def start(self) -> None:
        """Begin to take them."""
        await super().start()
        self._listener.setblocking(False)
        self._listener.listen(self._backlog)
        self._open = True
        self._loop.add_reader(self._listener, self._take)

    async def stop(self) -> None:
        """Take none more, and close the socket."""
        self._rest()
        self._open = False
        self._listener.close()
        await super().stop()

    def _take(self) -> None:
        for _ in range(_AT_ONCE):
            if not self._room.has_one():
                self._wait()
                return
            try:
                line, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _OUT:
                    raise
                self._room.make("descriptors_out")
                self._wait()
                return
            self._room.coming += 1
            task = self._loop.create_task(self._welcome(line))
            self._welcomes.add(task)
            task.add_done_callback(self._welcomes.discard)

    async def _welcome(self, line: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._house, line)
        except OSError:
            # It has gone again.
            line.close()
        finally:
            self._room.coming -= 1

    def _wait(self) -> None:
        """Look again when somebody has left, or in a moment."""
        self._rest()
        self._room.wait(self._again)
        self._later = self._loop.call_later(_LOOK_AGAIN_S, self._again)

    def _again(self) -> None:
        if self._open:
            self._rest()
            self._loop.add_reader(self._listener, self._take)

    def _rest(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._open:
            self._loop.remove_reader(self._listener)
