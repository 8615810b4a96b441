"""More than anybody needs: heads, bodies, and what grows when it is unpacked."""

from __future__ import annotations

import asyncio
import gzip
import re
import socket
import zlib
from contextlib import suppress

import pytest

from gateway.routes import ROUTES
from tests.gateway.enemies.clients import PATIENCE_S, heard, lines, send, status_of, until_closed
from tests.gateway.enemies.house import House

pytestmark = pytest.mark.xdist_group("enemies")

AT_ONCE = 40
MOST_BYTES = 64_000_000
BLOCK = bytes(65536)
GIGABYTE = 1 << 30
BOMB_BYTES = 100_000_000
# Every route that takes a body, with something in the place of each name.
POSTS = tuple(
    re.sub(r"\{[^}]*\}", "abcdefghijklmnopqrst", route.documented_path)
    for route in ROUTES
    if route.method != "GET"
)
TYPES = ("application/json", "application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 2000, b"X-A: b\r\n" * 2000),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ", b"x" * 65536),
        (b"GET /", b"x" * 65536),
        (b"GET /healthz HTTP/1.1\r\n", b"\r\n" + b"x" * 65536),
        (b"", b"\x16\x03\x01\x02\x00" * 13107),
    ],
    ids=["many lines", "a long line", "a long address", "no host", "TLS"],
)
async def test_a_head_without_end_is_refused(house: House, first: bytes, again: bytes) -> None:
    """On many connections at once: each is told so or closed, and little of it is kept."""
    before = house.forget_peak()
    async with heard(house), lines(house.port, AT_ONCE) as flood:

        async def pour(number: int) -> bytes:
            answering = asyncio.create_task(until_closed(flood[number]))
            await send(flood[number], first)
            while not await _has(answering) and await send(flood[number], again):
                pass
            return await answering

        ends = await asyncio.gather(*(pour(number) for number in range(AT_ONCE)))
    assert {status_of(end) for end in ends} <= {0, 400, 414, 431}
    assert house.peak_bytes() - before < MOST_BYTES


@pytest.mark.parametrize("path", POSTS)
async def test_a_body_of_a_gigabyte_is_refused_before_it_is_there(house: House, path: str) -> None:
    """By the length that it says, and where it says none as soon as it is too much."""
    before = house.forget_peak()
    async with heard(house), lines(house.port, 2 * len(TYPES)) as each:
        heads = [
            f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {media_type}\r\n{framing}\r\n\r\n"
            for media_type in TYPES
            for framing in (f"Content-Length: {GIGABYTE}", "Transfer-Encoding: chunked")
        ]
        sent = await asyncio.gather(
            *(_pour_body(each[number], head.encode()) for number, head in enumerate(heads))
        )
    for status, size in sent:
        assert 400 <= status < 500
        assert size < MOST_BYTES
    assert house.peak_bytes() - before < MOST_BYTES


async def _has(answering: asyncio.Task[bytes]) -> bool:
    """Whether it has come; what else there is to do has its turn."""
    done, _ = await asyncio.wait([answering], timeout=0)
    return bool(done)


async def _pour_body(line: socket.socket, head: bytes) -> tuple[int, int]:
    """Send a body until there is an answer: its status, and how much was sent."""
    answering = asyncio.create_task(asyncio.get_running_loop().sock_recv(line, 65536))
    await send(line, head)
    block = BLOCK if b"Content-Length" in head else b"10000\r\n" + BLOCK + b"\r\n"
    size = 0
    while not await _has(answering) and size < GIGABYTE and await send(line, block):
        size += len(block)
    return status_of(await answering), size


@pytest.fixture(scope="module")
def bombs() -> dict[str, bytes]:
    """Next to nothing that unpacks to a lot, by its Content-Encoding."""
    zeros = bytes(BOMB_BYTES)
    packed = zlib.compress(zeros)
    return {"gzip": gzip.compress(zeros), "deflate": packed}


@pytest.mark.parametrize("path", POSTS)
async def test_a_packed_body_is_refused_and_not_unpacked(
    house: House, bombs: dict[str, bytes], path: str
) -> None:
    """A hundred megabytes of nothing: neither memory nor time is spent on them."""
    before = house.forget_peak()
    async with heard(house) as listener, lines(house.port, len(bombs) * len(TYPES)) as each:
        ends = []
        for line, (media_type, (encoding, bomb)) in zip(
            each,
            ((media_type, bomb) for media_type in TYPES for bomb in bombs.items()),
            strict=True,
        ):
            head = (
                f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                f"Content-Type: {media_type}\r\nContent-Encoding: {encoding}\r\n"
                f"Content-Length: {len(bomb)}\r\n\r\n"
            )
            await send(line, head.encode() + bomb)
            ends.append(await until_closed(line))
        await listener.more(10)
        assert listener.slowest_s < 5.0
    assert {status // 100 for status in map(status_of, ends)} == {4}
    assert house.peak_bytes() - before < MOST_BYTES


@pytest.mark.parametrize(
    "broken",
    [
        b"Transfer-Encoding: chunked\r\n\r\nnot a length\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\nx",
        b"Transfer-Encoding: chunked\r\n\r\n-1\r\nx",
        b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: 1e9\r\n\r\n",
        b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"Content-Length: " + b"9" * 400 + b"\r\n\r\nabcd",
        b"Content-Length: 99999999999999999999\r\n\r\nabcd",
        b"Expect: 100-continue\r\nContent-Length: 20000000\r\n\r\n",
    ],
)
@pytest.mark.parametrize("later", [False, True], ids=["at once", "the body later"])
async def test_framing_that_makes_no_sense_is_refused(
    house: House, broken: bytes, later: bool
) -> None:
    """Nobody may smuggle a request behind it: the connection ends with the answer."""
    head = b"POST /tell/claims HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + broken
    smuggled = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    cut = head.index(b"\r\n\r\n") + 4 if later else len(head)
    async with heard(house) as listener, lines(house.port, 1) as (line,):
        await send(line, head[:cut])
        await listener.more(2)
        await send(line, head[cut:] + smuggled)
        with suppress(OSError):
            # Closed by then, mostly.
            line.shutdown(socket.SHUT_WR)
        answer = await until_closed(line)
    answer = answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert status_of(answer) in {0, *range(400, 500)}, answer
    assert b'"ok"' not in answer


@pytest.mark.parametrize("wish", ["Expect: nonsense", "Connection: Upgrade\r\nUpgrade: websocket"])
async def test_a_wish_that_nobody_grants_changes_nothing(house: House, wish: str) -> None:
    """The request is refused as it would be without it, or for it."""
    request = (
        f"POST /tell/claims HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{wish}\r\n"
        "Content-Length: 2\r\n\r\n{}"
    )
    async with heard(house), lines(house.port, 1, said=request.encode()) as (line,):
        async with asyncio.timeout(PATIENCE_S):
            answer = await asyncio.get_running_loop().sock_recv(line, 65536)
    assert status_of(answer) in range(400, 500), answer
