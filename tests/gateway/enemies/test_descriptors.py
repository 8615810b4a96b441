"""More connections than there are file descriptors."""

from __future__ import annotations

import asyncio
import resource
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.gateway.enemies.clients import PATIENCE_S, RENDITION, heard, lines, status_of
from tests.gateway.enemies.conftest import copied
from tests.gateway.enemies.house import House
from tests.gateway.workers.clients import Wire

pytestmark = pytest.mark.xdist_group("enemies")

DESCRIPTORS = 120
TINY = 4096
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_who_says_nothing_makes_way(prepared: Path, tmp_path: Path) -> None:
    """Five times as many connections as there is room for, all of them silent: she is served."""
    house = House.start(copied(prepared, tmp_path), prepared / "media", descriptors=DESCRIPTORS)
    try:
        async with heard(house) as listener, lines(house.port, 5 * DESCRIPTORS):
            await listener.more(50)
        (told,) = house.logged("connections_full")
        assert told["limit"] == DESCRIPTORS // 2
        assert told["idle_closed"] > 0
    finally:
        house.end()


async def test_newcomers_wait_while_all_are_busy(prepared: Path, tmp_path: Path) -> None:
    """All room is taken by downloads that nobody reads; once these are gone it serves at once.

    What was wrong stands in the log once. More is asked for in the settings than there can be.
    """
    house = House.start(
        copied(prepared, tmp_path),
        prepared / "media",
        descriptors=DESCRIPTORS,
        max_connections=10_000,
    )
    try:
        await _served_after(house, "connections_full")
        async with heard(house):
            pass
    finally:
        house.end()


async def test_descriptors_that_others_took_are_waited_for(prepared: Path, tmp_path: Path) -> None:
    """The kernel has none left though there was room: one line, and it goes on by itself."""
    house = House.start(copied(prepared, tmp_path), prepared / "media")
    try:
        used = len(list(Path(f"/proc/{house.process.pid}/fd").iterdir()))
        limit = (used + DESCRIPTORS // 2,) * 2
        resource.prlimit(house.process.pid, resource.RLIMIT_NOFILE, limit)
        await _served_after(house, "descriptors_out")
        # The last of the others may still have a descriptor.
        wire = await Wire(house.port).open()
        async with asyncio.timeout(PATIENCE_S):
            head = b""
            while not head.startswith(b"HTTP/1.1 206 "):
                head, _ = await wire.get(house.files[RENDITION], "Range: bytes=0-99")
        wire.close()
        async with heard(house):
            pass
    finally:
        house.end()


async def _served_after(house: House, event: str) -> None:
    """Take all that there is, until *event* is logged; then let go of it, and be served."""
    download = f"GET {house.files['aac-64k']} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    async with AsyncExitStack() as stack:
        async with lines(house.port, 2 * DESCRIPTORS, TINY, download):
            await house.said(event)
            (newcomer,) = await stack.enter_async_context(lines(house.port, 1, said=HEALTH))
        async with asyncio.timeout(PATIENCE_S):
            answer = await asyncio.get_running_loop().sock_recv(newcomer, 65536)
    assert status_of(answer) == 200
    assert len(house.logged(event)) == 1
