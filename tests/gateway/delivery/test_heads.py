"""Reading the one common request: what it is, and all that it is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery.heads import HeadReader, Wanted, body_left, read_head

TOKEN = "k1~q7m2w5x4c3v6b8n9k1l0~1267~one-week~en~0123456789abcdef~6b034510~J8yA9"
LINES = ["Host: tell.example", "Connection: keep-alive", "Accept: */*", "Range: bytes=5-9"]


def head(*lines: str, path: str = f"/stream/{TOKEN}/aac-64k.mp4", method: str = "GET") -> bytes:
    """A request head."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode("latin-1")


def test_a_players_request_is_read() -> None:
    """Token, rendition and both ends."""
    assert read_head(head(*LINES)) == Wanted(TOKEN.encode(), b"aac-64k", 5, 9, None)
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    read = read_head(head(*LINES, f"Traceparent: {trace}"))
    assert read is not None
    assert read.traceparent == trace.encode()


@pytest.mark.parametrize(
    "data",
    [
        head(*LINES, method="HEAD"),
        head(*LINES, method="get"),
        head(*LINES, path=f"/stream/{TOKEN}/aac-64k.mp4?x=1"),
        head(*LINES, path=f"/stream/{TOKEN}/aac-64k.m3u8"),
        head(*LINES, path="/stream/../aac-64k.mp4"),
        head(*LINES, path="/stream/./aac-64k.mp4"),
        head(*LINES, path=f"/stream/{TOKEN}%7E/aac-64k.mp4"),
        head(*LINES, path=f"http://tell.example/stream/{TOKEN}/aac-64k.mp4"),
        head(*LINES).replace(b"HTTP/1.1", b"HTTP/1.0"),
        head(*LINES).replace(b"\r\n", b"\n"),
        head(*LINES[:3]),
        head(*LINES[1:]),
        head(*LINES, "Host: another.example"),
        head(*LINES, "Range: bytes=0-1"),
        head(*LINES[:3], "Range: bytes=5-"),
        head(*LINES[:3], "Range: bytes=-5"),
        head(*LINES[:3], "Range: bytes=5-9,20-30"),
        head(*LINES[:3], "Range: bytes=5-9 "),
        head(*LINES[:3], "Range: bytes=+5-9"),
        head(*LINES[:3], "Range: bytes=5_0-90"),
        head(*LINES[:3], f"Range: bytes=5-{'9' * 40}"),
        head(*LINES, "Content-Length: 0"),
        head(*LINES, "Transfer-Encoding: chunked"),
        head(*LINES, "transfer-ENCODING:chunked"),
        head(*LINES, "Connection: close"),
        head("Host: x", "Connection: close", *LINES[2:]),
        head("Host: x", "Connection: upgrade", "Upgrade: h2c", *LINES[2:]),
        head(*LINES, "Expect: 100-continue"),
        head(*LINES, 'If-Range: "a"'),
        head(*LINES, "If-None-Match: *"),
        head(*LINES, "If-Match: *"),
        head(*LINES, " folded: line"),
        head(*LINES, "Space : before"),
        head(*LINES, "No colon"),
        head(*LINES, "X: a\x00b"),
        head(*LINES, "X: a\nContent-Length: 5"),
        head(*LINES, "X: \xe9"),
        head(*LINES) + b"x",
        head(*LINES) + head(*LINES),
        head(*LINES)[:-2],
        head(*LINES)[:-1],
        head(*LINES, "X: " + "a" * 9000),
        b"",
        b"GET /stream/",
    ],
)
def test_whatever_else_is_left_to_the_library(data: bytes) -> None:
    """Nothing is guessed: no body, condition, second value, odd byte or half line."""
    assert read_head(data) is None
    reader = HeadReader()
    # One that remembers is no less strict.
    assert reader.read(head(*LINES)) is not None
    assert reader.read(data) is None


def test_the_next_segment_is_read_by_what_is_remembered() -> None:
    """Only the numbers differ; a changed word before or after them is read anew."""
    reader = HeadReader()
    for first, last in ((0, 1), (5, 9), (48_000, 95_999)):
        read = reader.read(head(*LINES[:3], f"Range: bytes={first}-{last}", "X: y"))
        assert read == Wanted(TOKEN.encode(), b"aac-64k", first, last, None)
    other = head(*LINES, path=f"/stream/{TOKEN}/aac-32k.mp4")
    read = reader.read(other)
    assert read is not None
    assert read.rendition == b"aac-32k"
    assert reader.read(head(*LINES, "X: y", "If-Match: *")) is None


@given(st.binary(max_size=60), st.integers(0, 300))
def test_no_bytes_in_the_middle_break_it(junk: bytes, at: int) -> None:
    """Remembered or not, the answer is the same."""
    data = head(*LINES)
    changed = data[:at] + junk + data[at:]
    reader = HeadReader()
    reader.read(data)
    assert reader.read(changed) == read_head(changed)


@pytest.mark.parametrize(
    ("data", "left"),
    [
        (head(*LINES), 0),
        (head("Host: x", method="HEAD"), 0),
        (head("Content-Length: 5", method="POST"), 5),
        (head("content-length:5", method="POST") + b"abc", 2),
        (head("Content-Length: 5", method="POST") + b"abcde", 0),
        (head("Content-Length: 5", method="POST") + b"abcdef", -1),
        (head("Content-Length: 5", "Content-Length: 5", method="POST"), -1),
        (head("Content-Length: +5", method="POST"), -1),
        (head("Transfer-Encoding: chunked", method="POST"), -1),
        (head("Upgrade: websocket"), -1),
        (head(*LINES)[:-2], -1),
        (head(*LINES) + head(*LINES), -1),
    ],
)
def test_what_is_left_of_a_body(data: bytes, left: int) -> None:
    """Told only where nobody could read it otherwise."""
    assert body_left(data) == left
