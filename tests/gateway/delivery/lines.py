"""Raw connections to Tell, and who of its short ways has answered on them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from gateway import keys
from gateway.delivery.courier import Courier
from gateway.delivery.usher import Usher
from tests.gateway.town import GatewayServer, Town

PATIENCE_S = 20
SEGMENT = "bytes=1000-40999"
# A line that the short ways leave to the library, and that changes nothing.
LONG_WAY = "TE: trailers"


class Line:
    """A raw connection to Tell."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, text: str) -> tuple[bytes, bytes]:
        """Send *text* and read one answer: its head and its body."""
        self.writer.write(text.encode())
        return await self.answer()

    async def answer(self) -> tuple[bytes, bytes]:
        """Read the next answer."""
        async with asyncio.timeout(PATIENCE_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"HTTP/1.1 204 "):
                # Without a body, and without a length (RFC 9110 8.6).
                assert b"content-length" not in head.lower()
                return head, b""
            found = re.search(rb"content-length: (\d+)", head.lower())
            assert found is not None, head
            return head, await self.reader.readexactly(int(found[1]))


@asynccontextmanager
async def line_to(town: Town) -> AsyncIterator[Line]:
    """Connect."""
    reader, writer = await asyncio.open_connection("127.0.0.1", town.tell.port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


def get(url: str, *lines: str) -> str:
    """A request."""
    return "\r\n".join([f"GET {url} HTTP/1.1", "Host: x", *lines, "", ""])


def get_range(url: str, *lines: str, range_: str = SEGMENT) -> str:
    """A player's request for a segment."""
    return get(url, *lines, f"Range: {range_}")


def comparable(head: bytes) -> set[bytes]:
    """The lines of a head without those that differ each time."""
    return {line for line in head.split(b"\r\n") if not line.startswith((b"X-Request-Id", b"Date"))}


class WatchedCourier:
    """The courier of a town, and how many requests it has answered."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self.answered = 0

    def answer(self, *arguments: Any) -> bool:
        """Answer and count."""
        done = self._courier.answer(*arguments)
        self.answered += done
        return done


class WatchedUsher:
    """The usher of a town, how many requests it has answered, how many at once, how many refused.

    What it answers at once it has asked nobody for.
    """

    def __init__(self, usher: Usher) -> None:
        self._usher = usher
        self.answered = 0
        self.at_once = 0
        self.refused = 0

    def answer(self, data: bytes) -> bytes | Coroutine[Any, Any, bytes | None] | None:
        """Answer and count."""
        answer = self._usher.answer(data)
        if answer is None or isinstance(answer, bytes):
            self._count(answer)
            self.at_once += answer is not None
            return answer
        return self._counted(answer)

    async def _counted(self, answer: Coroutine[Any, Any, bytes | None]) -> bytes | None:
        said = await answer
        self._count(said)
        return said

    def _count(self, said: bytes | None) -> None:
        if said is not None and said.startswith(b"HTTP/1.1 4"):
            self.refused += 1
        elif said is not None:
            self.answered += 1


def server_of(town: Town) -> Any:
    """What makes its connections."""
    assert isinstance(town.tell.server, GatewayServer)
    assert town.tell.server.runner is not None
    return town.tell.server.runner.server


def watch(town: Town) -> tuple[WatchedCourier, WatchedUsher]:
    """Count what goes the short ways, on connections that are made from now on."""
    assert town.tell.app is not None
    server = server_of(town)
    server.courier = WatchedCourier(town.tell.app[keys.COURIER])
    server.usher = WatchedUsher(town.tell.app[keys.USHER])
    return server.courier, server.usher
