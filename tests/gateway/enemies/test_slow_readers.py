"""Clients that ask for much and take next to nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.gateway.enemies.clients import heard, lines, send
from tests.gateway.enemies.conftest import copied
from tests.gateway.enemies.house import LARGE_BYTES, House

pytestmark = pytest.mark.xdist_group("enemies")

READERS = 300
TINY = 4096
# What one of them may cost: a piece on its way, and what waits for the socket.
MOST_BYTES = 350_000
LARGE = "aac-64k"


async def test_hundreds_of_slow_readers_hold_a_piece_each(house: House) -> None:
    """Each asks for the whole of a large file and reads a byte now and then; others are served."""
    loop = asyncio.get_running_loop()
    request = f"GET {house.files[LARGE]} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    before = house.forget_peak()
    async with heard(house) as listener, lines(house.port, READERS, TINY) as readers:
        for reader in readers:
            await send(reader, request)
        for _ in range(3):
            for reader in readers:
                assert len(await loop.sock_recv(reader, 1)) == 1
            await listener.more(10)
        assert house.peak_bytes() - before < READERS * MOST_BYTES < READERS * LARGE_BYTES


async def test_hundreds_who_ask_again_and_never_read(house: House) -> None:
    """A piece of each fills the sockets; what they ask then is not even read of the storage."""
    request = (
        f"GET {house.files[LARGE]} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-199999\r\n\r\n"
    ).encode()
    before = house.forget_peak()
    async with heard(house) as listener, lines(house.port, READERS, TINY) as readers:
        for _ in range(20):
            for reader in readers:
                await send(reader, request)
            await listener.more(2)
        assert house.peak_bytes() - before < READERS * MOST_BYTES


async def test_who_takes_nothing_is_let_go(prepared: Path, tmp_path: Path) -> None:
    """Seen at the server: what it sends to the other end is what that end does not read."""
    house = House.start(copied(prepared, tmp_path), prepared / "media", stalled_s=0.5)
    try:
        request = f"GET {house.files[LARGE]} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        async with heard(house), lines(house.port, 3, TINY) as readers:
            for reader in readers:
                await send(reader, request)
            # nginx's number for a client that is gone before the answer's end.
            path = f"/stream/[masked]/{LARGE}.mp4"
            gone = await house.said("request", status=499, path=path)
            assert gone["duration_ms"] >= 500
    finally:
        house.end()
