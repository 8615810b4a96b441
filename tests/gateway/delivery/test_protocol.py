"""Segments on their short way, beside the long one: the same bytes, and never another's turn."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from catalog.models import ScreeningStatus
from gateway import keys
from media.track import Rendition, Track
from tests.gateway.delivery.lines import (
    LONG_WAY,
    PATIENCE_S,
    WatchedCourier,
    comparable,
    get,
    get_range,
    line_to,
    server_of,
    watch,
)
from tests.gateway.enemies.clients import lines, send, until_closed
from tests.gateway.town import Town

# Of what a client takes in before it reads.
TINY_BYTES = 4096


@pytest.fixture
def rendition(track: Track) -> Rendition:
    """The one that the tests fetch."""
    found = track.rendition("aac-64k")
    assert found is not None
    return found


@pytest.fixture
def published(media_root: Path, track: Track, rendition: Rendition) -> bytes:
    """Its bytes."""
    return (media_root / track.prefix / rendition.file_name).read_bytes()


@pytest.fixture
async def url(town: Town) -> str:
    """Address of aac-64k."""
    sold, listener = await town.ticket()
    grant = await town.grant(listener, sold)
    return str(next(i["url"] for i in grant["downloads"] if i["rendition"] == "aac-64k"))


@pytest.fixture
def watched(town: Town) -> WatchedCourier:
    """Counts what goes the short way, on connections that are made from now on."""
    return watch(town)[0]


async def test_the_short_way_answers_as_the_long_one(
    town: Town, url: str, published: bytes, watched: WatchedCourier
) -> None:
    """Head for head but for its order, and byte for byte; then playlists, and segments again."""
    async with line_to(town) as line:
        long_head, long_body = await line.ask(get_range(url, LONG_WAY))
        assert watched.answered == 0
        for turn in range(1, 4):
            head, body = await line.ask(get_range(url))
            assert watched.answered == turn
            assert comparable(head) == comparable(long_head)
            assert body == long_body == published[1000:41_000]
        playlist, _ = await line.ask(get(url.replace(".mp4", ".m3u8")))
        assert playlist.startswith(b"HTTP/1.1 200")
        report = "POST /tell/claims HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
        refused, _ = await line.ask(report)
        assert refused.startswith(b"HTTP/1.1 4")
        _, body = await line.ask(get_range(url, range_="bytes=0-0"))
        assert body == published[:1]
        end, body = await line.ask(get_range(url, range_=f"bytes={len(published) - 5}-99999999"))
        assert body == published[-5:]
        assert f"/{len(published)}\r\n".encode() in end
        assert watched.answered == 5


async def test_every_segment_comes_whole(
    town: Town, url: str, rendition: Rendition, published: bytes, watched: WatchedCourier
) -> None:
    """On one connection, one after the other, as a player asks."""
    async with line_to(town) as line:
        for piece in rendition.segments:
            last = piece.offset + piece.size - 1
            _, body = await line.ask(get_range(url, range_=f"bytes={piece.offset}-{last}"))
            assert body == published[piece.offset : last + 1]
    assert watched.answered == len(rendition.segments)


async def test_answers_keep_the_order_of_the_requests(
    town: Town, url: str, published: bytes, watched: WatchedCourier
) -> None:
    """A segment behind another request in one packet, or while that is worked on, waits."""
    async with line_to(town) as line:
        await line.ask(get_range(url))
        slow = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        line.writer.write((slow + get_range(url)).encode())
        assert (await line.answer())[1].startswith(b"{")
        assert (await line.answer())[1] == published[1000:41_000]
    async with line_to(town) as line:
        await line.ask(get_range(url))
        line.writer.write(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
        line.writer.write(get_range(url).encode())
        assert (await line.answer())[1].startswith(b"{")
        assert (await line.answer())[1] == published[1000:41_000]


async def test_a_head_in_pieces_is_answered(
    town: Town, url: str, published: bytes, watched: WatchedCourier
) -> None:
    """The library puts it together; the short way does not guess."""
    async with line_to(town) as line:
        await line.ask(get_range(url))
        text = get_range(url).encode()
        for cut in (20, 150, len(text) - 2):
            line.writer.write(text[:cut])
            await line.writer.drain()
            # Another request's answer shows that the first piece has been read.
            await town.text("/healthz")
            line.writer.write(text[cut:])
            assert (await line.answer())[1] == published[1000:41_000]
    assert watched.answered == 1


@pytest.mark.parametrize("how", ["cancelled", "ended", "expired"])
async def test_what_is_over_is_refused_at_once(
    town: Town, url: str, watched: WatchedCourier, how: str
) -> None:
    """On a connection that was served the short way a moment ago."""
    screening = await town.show()
    sold = await town.sell(screening)
    await town.is_enriched(sold.correlation_id)
    grant = await town.grant(await town.claim(sold), sold)
    url = grant["downloads"][0]["url"]
    async with line_to(town) as line:
        await line.ask(get_range(url))
        assert watched.answered == 1
        if how == "cancelled":
            await town.change_screening(screening.showtime_id, status=ScreeningStatus.CANCELLED)
        elif how == "ended":
            town.clock.advance(seconds=4680 + 1800)
        else:
            town.clock.advance(hours=9)
        head, body = await line.ask(get_range(url))
    expected = b"HTTP/1.1 410" if how == "cancelled" else b"HTTP/1.1 403"
    assert head.startswith(expected), (head, body)
    assert watched.answered == 1


async def test_a_removed_track_is_a_clear_503_and_heals(
    town_with_own_tracks: Town, published: bytes
) -> None:
    """Under a listener who heard it a moment ago; put back, it is heard again."""
    town = town_with_own_tracks
    sold, listener = await town.ticket()
    url = (await town.grant(listener, sold))["downloads"][0]["url"]
    (file,) = Path(town.settings.media.root).rglob("aac-64k.mp4")
    assert town.tell.app is not None
    courier = town.tell.app[keys.COURIER]
    now = 100.0
    courier.files.monotonic = lambda: now
    async with line_to(town) as line:
        await line.ask(get_range(url))
        _, body = await line.ask(get_range(url))
        assert body == published[1000:41_000]
        file.unlink()
        now += 1.0
        head, _ = await line.ask(get_range(url))
        assert head.startswith(b"HTTP/1.1 503")
        file.write_bytes(published)
        _, body = await line.ask(get_range(url))
        assert body == published[1000:41_000]


async def test_a_reader_that_takes_nothing_holds_one_piece(town: Town, url: str) -> None:
    """Many requests without reading: the library's back-pressure, and others are served."""
    async with line_to(town) as line:
        await line.ask(get_range(url))
        text = get_range(url).encode()
        # Far more than the buffers of the kernel and of both transports hold.
        for _ in range(400):
            line.writer.write(text)
        for _ in range(20):
            await town.text("/healthz")
        for _ in range(400):
            head, body = await line.answer()
            assert head.startswith(b"HTTP/1.1 206")
            assert len(body) == 40_000


async def test_segments_are_counted_as_all_requests(
    town: Town, url: str, watched: WatchedCourier
) -> None:
    """By route, status and rendition, whichever way they went."""
    async with line_to(town) as line:
        for _ in range(3):
            await line.ask(get_range(url))
    metrics = await town.text("/metrics")
    route = 'method="GET",route="/stream/{token}/{rendition}.mp4"'
    assert f'tell_http_requests_total{{{route},status="206"}} 3.0' in metrics
    assert f"tell_http_request_seconds_count{{{route}}} 3.0" in metrics
    assert 'tell_media_bytes_total{rendition="aac-64k"} 120000.0' in metrics
    assert watched.answered == 3


def connections(town: Town) -> list[Any]:
    """Those that it has."""
    return list(server_of(town).open)


async def test_the_library_has_no_part_in_what_it_is_not_asked(
    town: Town, url: str, watched: WatchedCourier
) -> None:
    """Its parser and its task are made with the first request of the long way, and stay."""
    async with line_to(town) as line:
        for _ in range(3):
            await line.ask(get_range(url))
        port = line.writer.get_extra_info("sockname")[1]
        (ours,) = [
            each
            for each in connections(town)
            if each._transport.get_extra_info("peername")[1] == port
        ]
        assert ours._long_way is None
        await line.ask(get("/healthz"))
        assert ours._long_way is not None
        await line.ask(get_range(url))
        assert watched.answered == 4


async def test_what_a_slow_reader_was_answered_is_sent_when_it_stops(
    town: Town, url: str, published: bytes, watched: WatchedCourier
) -> None:
    """All of it, where short ways alone answered; and then the connection is closed."""
    async with lines(town.tell.port or 0, 1, TINY_BYTES) as (line,):
        # Or a request waits until the one before it is acknowledged (RFC 9293 3.7.4).
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        asked = 0
        while not any(each._transport.get_write_buffer_size() for each in connections(town)):
            asked += 1
            await send(line, get_range(url).encode())
            # Another request's answer shows that this one has been read.
            await town.text("/healthz")
            assert watched.answered == asked < 400
        server_of(town).pre_shutdown()
        stopping = asyncio.create_task(server_of(town).shutdown(PATIENCE_S))
        # It takes a few turns of the loop to see who is still to be sent something.
        for _ in range(10):
            await asyncio.sleep(0)
        assert not stopping.done()
        received = await until_closed(line)
        await stopping
    assert received.count(b"HTTP/1.1 206 ") == asked
    assert received.count(published[1000:41_000]) == asked
    assert received.endswith(published[1000:41_000])
