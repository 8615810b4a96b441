"""Tell is stopped while slow lines still take what they asked for."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.gateway.enemies.clients import PATIENCE_S, lines, send, until_closed
from tests.gateway.enemies.conftest import copied
from tests.gateway.enemies.house import LARGE_BYTES, House

pytestmark = pytest.mark.xdist_group("enemies")

TINY = 4096
LARGE = "aac-64k"
# A body that never comes, which is waited for in the library's way.
HALF = (
    b"POST /tell/claims HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b'Content-Length: 100\r\n\r\n{"half": "'
)


def asking(house: House) -> bytes:
    """The request for the whole of a large file."""
    return f"GET {house.files[LARGE]} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


async def test_a_download_is_not_cut_by_sigterm(prepared: Path, tmp_path: Path) -> None:
    """What else runs is cut after drain_s; the download comes whole, and only then Tell ends."""
    house = House.start(
        copied(prepared, tmp_path),
        prepared / "media",
        drain_s=0.1,
        download_drain_s=PATIENCE_S,
        request_s=PATIENCE_S,
    )
    try:
        loop = asyncio.get_running_loop()
        async with lines(house.port, 1, TINY) as (slow,), lines(house.port, 1) as (stuck,):
            await send(slow, asking(house))
            received = bytearray(await loop.sock_recv(slow, 1))
            await send(stuck, HALF)
            house.process.send_signal(signal.SIGTERM)
            await house.said("stopping")
            # The end of what else ran: drain_s is over.
            await until_closed(stuck)
            assert house.process.poll() is None
            received += await until_closed(slow)
        head, _, body = bytes(received).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert body == house.published(LARGE)
        # By the first signal.
        assert await asyncio.to_thread(house.process.wait, PATIENCE_S) == 0
    finally:
        house.end()


async def test_a_download_that_takes_too_long_is_cut(prepared: Path, tmp_path: Path) -> None:
    """It holds the end up for download_drain_s and no longer, however little it takes."""
    house = House.start(
        copied(prepared, tmp_path), prepared / "media", drain_s=0.1, download_drain_s=0.1
    )
    try:
        async with lines(house.port, 1, TINY) as (slow,):
            await send(slow, asking(house))
            first = await asyncio.get_running_loop().sock_recv(slow, 1)
            house.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(house.process.wait, PATIENCE_S) == 0
            assert len(first + await until_closed(slow)) < LARGE_BYTES
    finally:
        house.end()
