"""Clients that read every byte of what a server does to their connections."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Wire:
    """One connection, on which requests follow one another. `receive_bytes` makes it a slow one."""

    port: int
    receive_bytes: int | None = None
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    async def open(self) -> Wire:
        """Connect."""
        line = socket.socket()
        if self.receive_bytes is not None:
            # Before connecting, or the window is as large as ever (tcp(7)).
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_bytes)
        line.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(line, ("127.0.0.1", self.port))
        except OSError:
            line.close()
            raise
        limit = 2**16 if self.receive_bytes is None else self.receive_bytes
        self.reader, self.writer = await asyncio.open_connection(sock=line, limit=limit)
        return self

    async def ask(self, path: str, *headers: str) -> bytes:
        """Send a GET and read the answer's head; raises EOFError, ConnectionError where none is."""
        assert self.reader is not None
        assert self.writer is not None
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", *headers]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        return await self.reader.readuntil(b"\r\n\r\n")

    async def get(self, path: str, *headers: str) -> tuple[bytes, bytes]:
        """Head and body of an answer that has a length."""
        assert self.reader is not None
        head = await self.ask(path, *headers)
        return head, await self.reader.readexactly(length_of(head))

    async def worker(self) -> int:
        """Which worker is at the other end."""
        _, body = await self.get("/readyz")
        number: int = json.loads(body)["worker"]
        return number

    def close(self) -> None:
        """Close it, without what was not sent yet."""
        if self.writer is not None:
            self.writer.transport.abort()


def length_of(head: bytes) -> int:
    """Content-Length."""
    _, found, rest = head.lower().partition(b"content-length: ")
    assert found, head
    return int(rest[: rest.index(b"\r\n")])


async def wire_to(port: int, worker: int, receive_bytes: int | None = None) -> Wire:
    """A connection to that worker: the kernel chooses one, so it is tried until it is that."""
    while True:
        wire = await Wire(port, receive_bytes).open()
        if await wire.worker() == worker:
            return wire
        wire.close()


@dataclass
class Hammer:
    """A client that asks again and again, and notes whatever is not an answer.

    With `keeps` it keeps its connection until it is told `Connection: close`.
    """

    port: int
    keeps: bool
    answered: int = 0
    failures: list[Any] = field(default_factory=list)
    stopped: bool = False
    on_answer: Callable[[], None] = lambda: None

    async def run(self) -> None:
        """Until `stopped`."""
        wire: Wire | None = None
        while not self.stopped:
            try:
                if wire is None:
                    wire = await Wire(self.port).open()
                head, _ = await wire.get("/time?nonce=hammer")
                if not head.startswith(b"HTTP/1.1 200 "):
                    self.failures.append(head)
                self.answered += 1
                self.on_answer()
                if not self.keeps or b"\r\nconnection: close\r\n" in head.lower():
                    wire.close()
                    wire = None
            except (OSError, EOFError) as error:
                self.failures.append(error)
                if wire is not None:
                    wire.close()
                wire = None
        if wire is not None:
            wire.close()


class Hammers:
    """Some of both kinds, for the time of a block."""

    def __init__(self, port: int, each: int = 4) -> None:
        self.all = [Hammer(port, keeps=number % 2 == 0) for number in range(2 * each)]
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Hammers:
        self._tasks = [asyncio.create_task(each.run()) for each in self.all]
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in self.all:
            each.stopped = True
        await asyncio.gather(*self._tasks)

    @property
    def answered(self) -> int:
        """How many requests were answered."""
        return sum(each.answered for each in self.all)

    @property
    def failures(self) -> list[Any]:
        """All that was not an answer."""
        return [failure for each in self.all for failure in each.failures]

    async def more(self, count: int) -> None:
        """Return when *count* more were answered."""
        enough = asyncio.Event()
        wanted = self.answered + count

        def look() -> None:
            if self.answered >= wanted:
                enough.set()

        for each in self.all:
            each.on_answer = look
        await enough.wait()
