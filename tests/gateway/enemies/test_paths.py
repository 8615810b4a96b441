"""Addresses and ranges that nobody who listens would write."""

from __future__ import annotations

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
from tests.gateway.enemies.house import LARGE_BYTES, House

pytestmark = pytest.mark.xdist_group("enemies")

# What stands in the files beside the tracks: the database, the keys, the track's index.
TREASURES = (b"SQLite format", b"s1:", b"m1:", b"fragments", b"root:x:0")


@pytest.mark.parametrize(
    "target",
    [
        b"/../../../../etc/passwd",
        b"/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        b"/..%2f..%2f..%2fetc%2fpasswd",
        b"/..%5c..%5ctell.db",
        b"/%252e%252e%252ftell.db",
        b"/app/../../../secrets/signing.keys",
        b"/app/..%2f..%2f..%2fsecrets%2fsigning.keys",
        b"/app//etc/passwd",
        b"/app/%00",
        b"/app/js/../../../config.toml",
        b"/ops/static/..%2f..%2fapp.py",
        b"/ops/static/../../app.py",
        b"//etc/passwd",
        b"///../tell.db",
        b"/healthz%00.mp4",
        b"/healthz%0d%0aX-Injected:%20yes",
        b"/stream/{token}/../../../tell.db",
        b"/stream/{token}/..%2f..%2f..%2ftell.db",
        b"/stream/{token}//aac-64k.mp4",
        b"/stream/{token}/aac-64k.mp4%00",
        b"/stream/{token}/aac-64k.mp4/",
        b"/stream/{token}/./aac-64k.mp4",
        b"/stream//{token}/aac-64k.mp4",
        b"/stream/%00/aac-64k.mp4",
        b"/stream/" + b"a" * 7000 + b"/aac-64k.mp4",
        b"/media/audio/..%2f..%2ftell.db",
        b"/media/audio/" + b"%2e" * 2000,
        b"/posters/..%2f..%2f/secrets",
        b"/" + b"a/" * 3500,
        b"/nowhere?" + b"a=b&" * 1900,
        b"/tell/tickets/%ff%fe%00",
        b"/tell/tickets/\xff\xfe",
        b"/%",
        b"/%zz",
        b"*",
        b"healthz",
        b"http://",
        b"http://evil.example:99999/healthz",
        b"http://[::1/healthz",
        b"http://evil.example/stream/x/aac-64k.mp4",
        b"file:///etc/passwd",
        b"gopher://evil.example/_x",
    ],
)
async def test_no_address_opens_what_it_should_not(house: House, target: bytes) -> None:
    """Refused, with nothing of any file in it; never a fault of ours, never another's header."""
    token = house.files[RENDITION].split("/")[2].encode()
    line = b"GET " + target.replace(b"{token}", token) + b" HTTP/1.1\r\n"
    async with heard(house):
        answer = await answer_to(house.port, line + b"Host: x\r\nConnection: close\r\n\r\n")
    assert status_of(answer) in {0, *range(400, 500)}, answer
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"X-Injected" not in head
    assert not [treasure for treasure in TREASURES if treasure in body]


@pytest.mark.parametrize(
    "line",
    [
        b"CONNECT evil.example:443 HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"TRACE /healthz HTTP/1.1",
        b"PROPFIND / HTTP/1.1",
        b"get /healthz HTTP/1.1",
        b"GET /healthz HTTP/2.0",
        b"GET /healthz",
        b"PRI * HTTP/2.0",
        b"GET\t/healthz HTTP/1.1",
        b"GET  /healthz HTTP/1.1",
        b"A" * 40 + b" /healthz HTTP/1.1",
    ],
)
async def test_what_is_hardly_http_does_no_harm(house: House, line: bytes) -> None:
    """It is refused, with an answer or without one, or read as what it nearly is."""
    async with heard(house):
        answer = await answer_to(house.port, line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
    status = status_of(answer)
    assert status in {0, 501, 505, *range(400, 500)} or answer.endswith(b'{"status":"ok"}'), answer


@pytest.mark.parametrize(
    ("value", "status", "first", "size"),
    [
        ("bytes=" + ",".join(["0-0"] * 500), 206, 0, 1),
        ("bytes=" + ",".join(f"{n}-{n + 9000}" for n in range(500)), 206, 0, 9001),
        ("bytes=" + ",".join(["0-"] * 2000), 206, 0, LARGE_BYTES),
        ("bytes=99999999999-," + ",".join(["99999999999-"] * 300) + ",7-7", 206, 7, 1),
        ("bytes=-0", 416, 0, 0),
        ("bytes=-0,-0,-0", 416, 0, 0),
        (f"bytes={LARGE_BYTES}-", 416, 0, 0),
        (f"bytes={10**30}-{10**31}", 416, 0, 0),
        (f"bytes=0-{'9' * 4000}", 206, 0, LARGE_BYTES),
        (f"bytes=-{'9' * 4000}", 206, 0, LARGE_BYTES),
        ("bytes=-1", 206, LARGE_BYTES - 1, 1),
        ("bytes=--1", 200, 0, LARGE_BYTES),
        ("bytes=-5--1", 200, 0, LARGE_BYTES),
        ("bytes=9-5", 200, 0, LARGE_BYTES),
        ("bytes=0x10-0x20", 200, 0, LARGE_BYTES),
        ("bytes=1e3-", 200, 0, LARGE_BYTES),
        ("bytes 0-5", 200, 0, LARGE_BYTES),
        ("bits=0-5", 200, 0, LARGE_BYTES),
        ("bytes=" + "-" * 4000, 200, 0, LARGE_BYTES),
        ("bytes=" + "," * 4000 + "3-4", 206, 3, 2),
    ],
)
async def test_ranges_that_multiply_a_file_do_not(
    house: House, value: str, status: int, first: int, size: int
) -> None:
    """RFC 9110 14.1.1 and 17.15: at most one part is sent, and never more than the file has."""
    request = (
        f"GET {house.files['aac-64k']} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Range: {value}\r\n\r\n"
    )
    async with heard(house), lines(house.port, 1) as (line,):
        await send(line, request.encode())
        answer = await until_closed(line)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert status_of(answer) == status
    if status == 416:
        assert f"content-range: bytes */{LARGE_BYTES}\r\n".encode() in head.lower()
    else:
        assert len(body) == size
    if status == 206:
        told = f"content-range: bytes {first}-{first + size - 1}/{LARGE_BYTES}\r\n"
        assert told.encode() in head.lower()
