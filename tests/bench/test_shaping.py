"""The proxy that stands for a network: nothing is lost, and nothing comes too soon."""

from __future__ import annotations

import asyncio
import os
import time
from urllib.parse import urlsplit

from bench.shaping import Line, Shape, shaped

RTT_S = 0.05


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(1 << 16):
        writer.write(piece)
        await writer.drain()
    writer.write_eof()
    writer.close()


async def test_bytes_come_whole_in_order_and_not_before_their_time() -> None:
    """A round trip takes its least time at least, however uneven the ways are."""
    sent = os.urandom(200_000)
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    shape = Shape(RTT_S, jitter_s=0.01, uneven_s=0.02, stalled=0.2)
    async with server, asyncio.timeout(30), shaped(f"http://127.0.0.1:{port}", shape) as url:
        begun = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        writer.write(sent)
        writer.write_eof()
        first = await reader.readexactly(1)
        # The handshake and one way there and back.
        assert time.monotonic() - begun >= 2 * RTT_S
        assert first + await reader.read(-1) == sent
        writer.close()


def test_the_ways_differ_by_what_was_asked_for() -> None:
    """Together they are the round trip."""
    shape = Shape(0.0625, uneven_s=0.03125)
    assert shape.there_s() - shape.back_s() == 0.03125
    assert shape.there_s() + shape.back_s() == 0.0625


async def test_it_ends_with_connections_open() -> None:
    """Leaving the block closes what is still connected."""
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, asyncio.timeout(30):
        async with shaped(f"http://127.0.0.1:{port}", Shape(0.0)) as url:
            reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
            writer.write(b"x")
            assert await reader.readexactly(1) == b"x"
        assert await reader.read() == b""
        writer.close()


async def test_what_is_sent_while_the_line_is_lost_comes_when_it_is_back() -> None:
    """A lost network loses no byte of a connection that outlives it."""
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    line = Line()
    async with (
        server,
        asyncio.timeout(30),
        shaped(f"http://127.0.0.1:{port}", Shape(0.0), line=line) as url,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        line.lose()
        writer.write(b"x")
        answer = asyncio.ensure_future(reader.readexactly(1))
        done, _ = await asyncio.wait([answer], timeout=0.1)
        assert not done
        line.restore()
        assert await answer == b"x"
        writer.close()
