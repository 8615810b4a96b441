"""Connections on which a request never comes, or never ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.enemies.clients import (
    RENDITION,
    answer_to,
    heard,
    lines,
    send,
    status_of,
    until_closed,
)
from tests.gateway.enemies.conftest import copied
from tests.gateway.enemies.house import House

pytestmark = pytest.mark.xdist_group("enemies")

SILENT = 300


@pytest.fixture(scope="module")
def impatient(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A Tell that waits for a second."""
    folder = copied(prepared, tmp_path_factory.mktemp("impatient"))
    house = House.start(folder, prepared / "media", request_s=1.0, idle_s=1.0)
    yield house
    house.end()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"G",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Half: ",
        b"GET /stream/abcdefghijklmnopqrstuvwxyz/aac-64k.mp4 HTTP/1.1\r\nHost: x\r\n",
    ],
    ids=["nothing", "a letter", "half a head", "half a head of a segment"],
)
async def test_who_connects_and_does_not_ask_is_let_go(impatient: House, said: bytes) -> None:
    """Hundreds at once, and without a word; others are served meanwhile and after."""
    async with heard(impatient), lines(impatient.port, SILENT) as silent:
        for line in silent:
            await send(line, said)
        ends = await asyncio.gather(*(until_closed(line) for line in silent))
        assert set(ends) == {b""}


async def test_a_head_that_comes_in_drops_gets_no_more_time(impatient: House) -> None:
    """A line of it now and then keeps nothing open: the time counts from the beginning."""
    async with heard(impatient) as listener, lines(impatient.port, 1) as (line,):
        await send(line, b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        closed = asyncio.create_task(until_closed(line))
        drops = 0
        while not closed.done():
            await listener.more(1)
            if drops < 100 and await send(line, b"X-Drop: 1\r\n"):
                drops += 1
        assert await closed == b""
        assert drops > 1


async def test_a_connection_that_is_only_kept_is_closed(impatient: House) -> None:
    """Behind an answer of the long way, and behind one of the short way."""
    segment = (
        f"GET {impatient.files[RENDITION]} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-99\r\n\r\n"
    ).encode()
    health = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    async with lines(impatient.port, 2) as kept:
        for line, request in zip(kept, (segment, health), strict=True):
            await send(line, request)
        ends = await asyncio.gather(*(until_closed(line) for line in kept))
    # The listener warmed the short way before.
    assert [status_of(end) for end in ends] == [206, 200]
    assert all(b"\r\nConnection: close" not in end for end in ends)


JSON = "Content-Type: application/json\r\n"
BODIES = {
    "/tell/claims": JSON,
    "/tell/purchase": JSON,
    "/tell/screening-events": JSON,
    "/tell/playback": JSON + "Authorization: Bearer {listener}\r\n",
    "/ops/login": (
        "Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin\r\n"
    ),
}


@pytest.mark.parametrize(
    ("framing", "begun"),
    [
        ("Content-Length: 100", b'{"half": "'),
        ("Transfer-Encoding: chunked", b'A\r\n{"half": "\r\n'),
    ],
)
async def test_half_a_body_is_not_waited_for(impatient: House, framing: str, begun: bytes) -> None:
    """408 by its code at every address that reads one, and the connection is closed."""
    async with heard(impatient):
        answers = await asyncio.gather(
            *(
                answer_to(
                    impatient.port,
                    f"POST {path} HTTP/1.1\r\nHost: x\r\n{headers}{framing}\r\n\r\n".format(
                        listener=impatient.listener
                    ).encode()
                    + begun,
                )
                for path, headers in BODIES.items()
            )
        )
    for path, answer in zip(BODIES, answers, strict=True):
        assert status_of(answer) == 408, (path, answer)
        assert b"\r\nConnection: close" in answer
        if path.startswith("/tell/"):
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "body-late"


async def test_a_body_that_nobody_reads_holds_nothing(impatient: House) -> None:
    """A GET is answered though its body never comes, and then closed."""
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nxxx"
    assert status_of(await answer_to(impatient.port, request)) == 200
