"""Who attacks, and who only listens."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tests.gateway.enemies.house import House
from tests.gateway.workers.clients import Wire

# A limit for failures alone.
PATIENCE_S = 60
RENDITION = "aac-32k"
_PIECE = 8_000


class Listener:
    """An honest one: one piece of her track after the other, and each byte is compared.

    A connection that was closed between two answers is no fault: a player opens another.
    """

    def __init__(self, house: House) -> None:
        self.answered = 0
        self.slowest_s = 0.0
        self.wrong: list[str] = []
        self.stopped = False
        self._on_answer: Callable[[], None] = lambda: None
        self._port = house.port
        self._path = house.files[RENDITION]
        self._published = house.published(RENDITION)

    async def run(self) -> None:
        """Until `stopped`, or until something is wrong."""
        while not self.stopped and not self.wrong:
            wire = Wire(self._port)
            try:
                await wire.open()
                while await self.hear(wire):
                    pass
            except ConnectionRefusedError:
                # Nobody is there any more: there is nothing to wait for.
                self.wrong.append("refused")
                self._on_answer()
            except (EOFError, ConnectionError):
                continue
            finally:
                wire.close()

    async def hear(self, wire: Wire) -> bool:
        """One piece; whether she listens on."""
        first = self.answered * _PIECE % (len(self._published) - _PIECE)
        began = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE_S):
                head, body = await wire.get(
                    self._path, f"Range: bytes={first}-{first + _PIECE - 1}"
                )
        except TimeoutError:
            self.wrong.append("no answer")
            return False
        if not head.startswith(b"HTTP/1.1 206 ") or body != self._published[first : first + _PIECE]:
            self.wrong.append(head.decode("latin-1"))
        self.slowest_s = max(self.slowest_s, time.perf_counter() - began)
        self.answered += 1
        self._on_answer()
        return not (self.stopped or self.wrong)

    async def more(self, count: int) -> None:
        """Return when *count* more were answered."""
        enough = asyncio.Event()
        wanted = self.answered + count

        def look() -> None:
            if self.answered >= wanted or self.wrong:
                enough.set()

        self._on_answer = look
        async with asyncio.timeout(PATIENCE_S):
            await enough.wait()
        assert not self.wrong, self.wrong


@asynccontextmanager
async def heard(house: House) -> AsyncIterator[Listener]:
    """A listener who is served before, while and after the block; each answer was right."""
    listener = Listener(house)
    running = asyncio.create_task(listener.run())
    try:
        await listener.more(5)
        yield listener
        await listener.more(20)
    finally:
        listener.stopped = True
        await running
    assert not listener.wrong, listener.wrong
    assert house.process.poll() is None


@asynccontextmanager
async def lines(
    port: int, count: int, receive_bytes: int | None = None, said: bytes = b""
) -> AsyncIterator[list[socket.socket]]:
    """So many connections, each of which can take in only so much; in the end they are cut.

    *said* is sent on each before the next one is made.
    """
    loop = asyncio.get_running_loop()
    made = [socket.socket() for _ in range(count)]
    try:
        async with asyncio.timeout(PATIENCE_S):
            for line in made:
                if receive_bytes is not None:
                    # Before connecting, or the window is as large as ever (tcp(7)).
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
                line.setblocking(False)
                await loop.sock_connect(line, ("127.0.0.1", port))
                await send(line, said)
        yield made
    finally:
        for line in made:
            line.close()


async def send(line: socket.socket, data: bytes) -> bool:
    """Send all of it; False where the other end has closed."""
    try:
        await asyncio.get_running_loop().sock_sendall(line, data)
    except ConnectionError:
        return False
    return True


async def until_closed(line: socket.socket) -> bytes:
    """What comes until the other end closes."""
    loop = asyncio.get_running_loop()
    received = bytearray()
    async with asyncio.timeout(PATIENCE_S):
        try:
            while data := await loop.sock_recv(line, 65536):
                received += data
        except ConnectionError:
            pass
    return bytes(received)


async def answer_to(port: int, request: bytes) -> bytes:
    """The whole answer to a request that asks for the connection to be closed behind it."""
    async with lines(port, 1) as (line,):
        await send(line, request)
        return await until_closed(line)


def status_of(answer: bytes) -> int:
    """Its status; 0 where there was none, and the connection was closed."""
    return int(answer.split(b" ", 2)[1]) if answer else 0
