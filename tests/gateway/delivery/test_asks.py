"""Reading a join's requests: what they are, and all that they are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery.asks import Ask, DecisionAsk, GrantAsk, PlaylistAsk, read_ask

TOKEN = "k1~q7m2w5x4c3v6b8n9k1l0~1267~one-week~en~0123456789abcdef~6b034510~J8yA9"
TICKET = "q7m2w5x4c3v6b4n2k7l5"
LINES = ["Host: tell.example", "Connection: keep-alive", "Accept: */*"]
BEARER = "Authorization: Bearer k1~abc~def"
PLAYLIST = f"/stream/{TOKEN}/aac-64k.m3u8"
GRANT = f"/media/audio/one-week?ticket={TICKET}"


def head(path: str, *lines: str, method: str = "GET") -> bytes:
    """A request head."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode("latin-1")


def test_a_playlists_request_is_read() -> None:
    """Token, name, and whether it may be packed."""
    plain = Ask(PLAYLIST, gzip=False, accept="*/*", traceparent=None)
    assert read_ask(head(PLAYLIST, *LINES)) == PlaylistAsk(plain, TOKEN, "aac-64k")
    packed = read_ask(head(PLAYLIST, *LINES, "accept-ENCODING: gzip, br"))
    assert packed == PlaylistAsk(plain._replace(gzip=True), TOKEN, "aac-64k")
    for name in ("main", "opus"):
        read = read_ask(head(f"/stream/{TOKEN}/{name}.m3u8", *LINES))
        assert isinstance(read, PlaylistAsk)
        assert read.name == name


def test_a_decisions_request_is_read() -> None:
    """As the shipped nginx asks, with what the player's request said."""
    path = f"/stream/{TOKEN}/decision"
    read = read_ask(head(path, "Host: x", "X-Forwarded-For: 192.0.2.7", "User-Agent: y"))
    assert read == DecisionAsk(Ask(path, gzip=False, accept=None, traceparent=None), TOKEN)
    assert read_ask(head(path, "Host: x", "Range: bytes=0-5")) is None
    assert read_ask(head(path, "Host: x", method="HEAD")) is None


def test_a_grants_request_is_read() -> None:
    """Film, ticket and bearer; the path that is logged has no query."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    read = read_ask(head(GRANT, *LINES, BEARER, f"Traceparent: {trace}"))
    ask = Ask("/media/audio/one-week", gzip=False, accept="*/*", traceparent=trace)
    assert read == GrantAsk(ask, "one-week", TICKET, "Bearer k1~abc~def")


@pytest.mark.parametrize(
    "data",
    [
        head(PLAYLIST, *LINES, method="HEAD"),
        head(f"{PLAYLIST}?x=1", *LINES),
        head(f"/stream/{TOKEN}/now.m3u8", *LINES),
        head(f"/stream/{TOKEN}/main.mpd", *LINES),
        head(f"/stream/{TOKEN}/aac-64k.mp4", *LINES),
        head(f"/stream/{TOKEN}%7E/main.m3u8", *LINES),
        head(PLAYLIST, *LINES, BEARER),
        head(PLAYLIST, *LINES, "Range: bytes=0-5"),
        head(PLAYLIST, *LINES, 'If-None-Match: "a"'),
        head(PLAYLIST, *LINES, "Content-Length: 0"),
        head(PLAYLIST, *LINES, "transfer-ENCODING:chunked"),
        head(PLAYLIST, *LINES, "Expect: 100-continue"),
        head(PLAYLIST, *LINES, "Origin: https://player.example"),
        head(PLAYLIST, *LINES, "Host: another.example"),
        head(PLAYLIST, *LINES, "Accept: text/html"),
        head(PLAYLIST, *LINES[1:]),
        head(PLAYLIST, LINES[0], "Connection: close"),
        head(PLAYLIST, *LINES, " folded: line"),
        head(PLAYLIST, *LINES, "X: a\nContent-Length: 5"),
        head(PLAYLIST, *LINES, "X: \xe9"),
        head(PLAYLIST, *LINES, "X: " + "a" * 9000),
        head(PLAYLIST),
        head(PLAYLIST, *LINES) + b"x",
        head(PLAYLIST, *LINES) + head(PLAYLIST, *LINES),
        head(PLAYLIST, *LINES)[:-2],
        head(PLAYLIST, *LINES).replace(b"HTTP/1.1", b"HTTP/1.0"),
        head(GRANT, *LINES),
        head(GRANT, *LINES, BEARER, BEARER),
        head(GRANT, *LINES, BEARER, "Save-Data: on"),
        head(f"{GRANT}&language=en", *LINES, BEARER),
        head("/media/audio/one-week", *LINES, BEARER),
        head(f"/media/audio/..?ticket={TICKET}", *LINES, BEARER),
        head(f"/media/audio/one%2dweek?ticket={TICKET}", *LINES, BEARER),
        head(f"/media/audio/{'a' * 65}?ticket={TICKET}", *LINES, BEARER),
        head(f"/media/audio/one-week?ticket={TICKET}1", *LINES, BEARER),
        b"",
        b"GET /stream/",
    ],
)
def test_whatever_else_is_left_to_the_library(data: bytes) -> None:
    """Nothing is guessed: no body, condition, second value, odd byte or half line."""
    assert read_ask(data) is None


@given(st.binary(min_size=1, max_size=60), st.integers(0, 300))
def test_bytes_in_the_middle_are_read_as_one_request_or_not_at_all(junk: bytes, at: int) -> None:
    """Never more than one head is taken for one."""
    data = head(GRANT, *LINES, BEARER)
    changed = data[:at] + junk + data[at:]
    read = read_ask(changed)
    if read is not None:
        assert changed.endswith(b"\r\n\r\n")
        assert changed.count(b"\r\n\r\n") == 1
        assert changed.lower().count(b"\r\nhost:") == 1
