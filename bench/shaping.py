"""A proxy that is as slow as a network: round trips, jitter, one-sided ways, and stalls.

It stands between a browser and Tell on one machine, where the kernel's own shaper is often missing.
Bytes stay in order, as on a TCP connection; what is delayed delays all that follows it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

_CHUNK_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Shape:
    """What a network does to each piece of bytes; seconds.

    `rtt_s` is the least round trip; the way there takes `uneven_s` longer than the way back. Each
    piece takes up to `jitter_s` longer still, and a share of `stalled` of them 200 to 400 ms.
    """

    rtt_s: float
    jitter_s: float = 0.0
    uneven_s: float = 0.0
    stalled: float = 0.0

    def there_s(self) -> float:
        """The least way from the browser to Tell."""
        return (self.rtt_s + self.uneven_s) / 2

    def back_s(self) -> float:
        """The least way from Tell to the browser."""
        return (self.rtt_s - self.uneven_s) / 2


class Line:
    """A network that can be lost: what was sent waits, as its sender would try it again."""

    def __init__(self) -> None:
        self._up = asyncio.Event()
        self._up.set()

    def lose(self) -> None:
        """Let nothing through, and no connection come about."""
        self._up.clear()

    def restore(self) -> None:
        """Let all of it through."""
        self._up.set()

    async def up(self) -> None:
        """Wait until it is there."""
        await self._up.wait()


@asynccontextmanager
async def shaped(
    url: str, shape: Shape, seed: int = 1, line: Line | None = None
) -> AsyncIterator[str]:
    """Stand in front of *url*, on *line* where one is given; yields the address to use instead."""
    target = urlsplit(url)
    chance = random.Random(seed)  # noqa: S311  (delays alike in each run, no secret)
    connections: set[asyncio.Task[None]] = set()
    wire = line or Line()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await _connect(reader, writer)
        except asyncio.CancelledError:
            # Cancelled below alone: the proxy ends.
            pass
        finally:
            connections.discard(task)
            writer.close()

    async def _connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The handshake that the loopback did for nothing.
        await asyncio.sleep(shape.rtt_s)
        await wire.up()
        with contextlib.suppress(ConnectionError):
            up_reader, up_writer = await asyncio.open_connection(target.hostname, target.port)
            try:
                await asyncio.gather(
                    _carry(reader, up_writer, shape.there_s(), shape, chance, wire),
                    _carry(up_reader, writer, shape.back_s(), shape, chance, wire),
                )
            finally:
                up_writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _carry(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    least_s: float,
    shape: Shape,
    chance: random.Random,
    line: Line,
) -> None:
    """Carry bytes one way until they end, each piece after its delay and none before another."""
    loop = asyncio.get_running_loop()
    on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def collect() -> None:
        due = 0.0
        while True:
            try:
                piece = await reader.read(_CHUNK_BYTES)
            except ConnectionError:
                piece = b""
            delay_s = least_s + chance.uniform(0, shape.jitter_s)
            if chance.random() < shape.stalled:
                delay_s += chance.uniform(0.2, 0.4)
            due = max(due, loop.time() + delay_s)
            on_the_way.put_nowait((due, piece))
            if not piece:
                return

    async def deliver() -> None:
        while True:
            due, piece = await on_the_way.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            await line.up()
            if not piece:
                with contextlib.suppress(OSError):
                    writer.write_eof()
                return
            writer.write(piece)
            with contextlib.suppress(ConnectionError):
                await writer.drain()

    await asyncio.gather(collect(), deliver())
