"""The bytes of a rendition."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway import keys
from media.track import Rendition, Track, dump_track, load_track
from tests.gateway.town import CountedStorage, Town


@pytest.fixture
def rendition(track: Track) -> Rendition:
    """The one that the tests fetch."""
    found = track.rendition("aac-64k")
    assert found is not None
    return found


@pytest.fixture
def published(media_root: Path, track: Track, rendition: Rendition) -> bytes:
    """Its bytes as they lie in the storage."""
    return (media_root / track.prefix / rendition.file_name).read_bytes()


@pytest.fixture
async def url(town: Town, rendition: Rendition) -> str:
    """Its signed address."""
    sold, listener = await town.ticket()
    grant = await town.grant(listener, sold)
    return next(
        str(item["url"]) for item in grant["downloads"] if item["rendition"] == rendition.name
    )


async def fetch(
    town: Town, url: str, method: str = "GET", **headers: str
) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with town.tell.request(method, url, headers=named) as answer:
        return answer.status, answer.headers, await answer.read()


async def test_the_whole_file_comes_with_its_digest(
    town: Town, url: str, rendition: Rendition, published: bytes
) -> None:
    """Byte for byte, immutable and private to the device (RFC 9530 3)."""
    status, headers, body = await fetch(town, url)
    assert status == 200
    assert body == published
    digest = base64.b64encode(hashlib.sha256(published).digest()).decode()
    expected = {
        "Content-Type": "audio/mp4",
        "Content-Length": str(len(published)),
        "Accept-Ranges": "bytes",
        "ETag": f'"{rendition.sha256}"',
        "Cache-Control": "private, max-age=31536000, immutable",
        "Repr-Digest": f"sha-256=:{digest}:",
    }
    assert {name: headers[name] for name in expected} == expected


async def test_head_tells_what_get_would_send(town: Town, url: str, rendition: Rendition) -> None:
    """The same headers and no body (RFC 9110 9.3.2); a range is passed over."""
    status, headers, body = await fetch(town, url, "HEAD", Range="bytes=0-9")
    assert (status, body) == (200, b"")
    assert headers["Content-Length"] == str(rendition.size_bytes)
    assert "Content-Range" not in headers


async def test_every_segment_can_be_fetched_by_its_range(
    town: Town, url: str, rendition: Rendition, published: bytes
) -> None:
    """206 with exactly those bytes; joined they are the file's sound."""
    for piece in rendition.segments:
        last = piece.offset + piece.size - 1
        status, headers, body = await fetch(town, url, Range=f"bytes={piece.offset}-{last}")
        assert status == 206
        assert body == published[piece.offset : last + 1]
        assert headers["Content-Range"] == f"bytes {piece.offset}-{last}/{len(published)}"
        assert headers["Content-Length"] == str(piece.size)


async def test_of_several_ranges_the_first_is_sent(town: Town, url: str, published: bytes) -> None:
    """A single part that describes itself (RFC 9110 15.3.7)."""
    status, headers, body = await fetch(town, url, Range="bytes=5-9, 100-200")
    assert (status, body) == (206, published[5:10])
    assert headers["Content-Range"] == f"bytes 5-9/{len(published)}"
    assert headers["Content-Type"] == "audio/mp4"


async def test_a_range_past_the_end_is_416_with_the_size(
    town: Town, url: str, published: bytes
) -> None:
    """A problem, as every other refusal."""
    async with town.tell.get(url, headers={"Range": f"bytes={len(published)}-"}) as answer:
        assert answer.status == 416
        assert answer.headers["Content-Range"] == f"bytes */{len(published)}"
        problem = await answer.json(content_type=None)
    assert problem["code"] == "range-not-satisfiable"


async def test_a_download_resumes_where_it_broke_off(
    town: Town, url: str, published: bytes
) -> None:
    """If-Range with the tag gives the rest, with another tag the whole."""
    _, headers, _ = await fetch(town, url, Range="bytes=0-999")
    rest = await fetch(town, url, Range="bytes=1000-", If_Range=headers["ETag"])
    assert (rest[0], rest[2]) == (206, published[1000:])
    whole = await fetch(town, url, Range="bytes=1000-", If_Range='"another"')
    assert (whole[0], whole[2]) == (200, published)


async def test_what_the_device_has_is_not_sent_again(town: Town, url: str) -> None:
    """304 with the headers that a cache refreshes (RFC 9110 15.4.5)."""
    _, headers, _ = await fetch(town, url)
    status, fresh, body = await fetch(town, url, If_None_Match=headers["ETag"])
    assert (status, body) == (304, b"")
    assert fresh["ETag"] == headers["ETag"]
    assert fresh["Cache-Control"] == headers["Cache-Control"]
    assert "Content-Length" not in fresh
    problem = await town.problem(url, headers={"If-Match": '"another"'})
    assert (problem["status"], problem["code"]) == (412, "precondition-failed")


@pytest.mark.parametrize(
    "name",
    [
        "track.json",
        "../aac-64k.mp4",
        "..%2f..%2f..%2ftell.db",
        "%2e%2e/%2e%2e/secrets/signing.keys",
        "..\\..\\tell.db",
        "aac-64k.mp4/..",
        "aac-64k%00.mp4",
        "aac-64k.mp4%2f..%2ftrack.json",
        "aac-64k.MP4",
        "..",
        ".",
    ],
)
async def test_no_path_climbs_out_of_the_track(
    town: Town, url: str, media_root: Path, name: str
) -> None:
    """Sent raw, so that no client tidies it up first: 404 or 400, and nothing of any file."""
    token = url.split("/")[2]
    status, body = await raw_get(town, f"/stream/{token}/{name}")
    assert status in {400, 403, 404}
    assert b"renditions" not in body
    assert b"k1:" not in body
    assert b"SQLite" not in body


async def raw_get(town: Town, path: str) -> tuple[int, bytes]:
    """GET a path exactly as it is written."""
    reader, writer = await asyncio.open_connection("127.0.0.1", town.tell.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split(b" ", 2)[1]), answer


async def test_a_client_that_goes_away_leaves_no_error(town: Town, url: str) -> None:
    """A reader that hangs up in the middle is counted and forgotten."""
    reader, writer = await asyncio.open_connection("127.0.0.1", town.tell.port)
    writer.write(f"GET {url} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()
    assert 'code="internal"' not in await town.text("/metrics")
    status, _, _ = await fetch(town, url, Range="bytes=0-0")
    assert status == 206


async def test_a_slow_reader_holds_a_piece_and_not_the_file(
    town_with_own_tracks: Town,
) -> None:
    """While the socket is full nothing more is read of the storage; others are served."""
    town = town_with_own_tracks
    root = Path(town.settings.media.root)
    size_bytes = 64 << 20
    (file,) = root.rglob("aac-64k.mp4")
    os.truncate(file, size_bytes)
    (index,) = root.rglob("track.json")
    track = load_track(index.read_bytes(), "track.json")
    long = track.renditions[0].model_copy(update={"size_bytes": size_bytes})
    index.write_bytes(dump_track(track.model_copy(update={"renditions": (long,)})))
    assert town.tell.app is not None
    storage = town.tell.app[keys.STORAGE]
    assert isinstance(storage, CountedStorage)
    sold, listener = await town.ticket()
    url = (await town.grant(listener, sold))["downloads"][0]["url"]
    reader, writer = await asyncio.open_connection("127.0.0.1", town.tell.port, limit=4096)
    writer.write(f"GET {url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    for _ in range(50):
        await town.text("/healthz")
    # What the kernel's buffers of both sides hold, far from the whole.
    assert storage.read_bytes < size_bytes // 4
    received = 0
    while block := await reader.read(1 << 20):
        received += len(block)
    writer.close()
    assert received == storage.read_bytes == size_bytes


async def test_bytes_are_counted(town: Town, url: str) -> None:
    """By rendition, in /metrics."""
    await fetch(town, url, Range="bytes=0-99")
    assert 'tell_media_bytes_total{rendition="aac-64k"} 100.0' in await town.text("/metrics")


async def test_a_published_file_that_is_gone_is_a_clear_503(town_with_own_tracks: Town) -> None:
    """Nothing of the answer is sent first, and it heals when the file is back."""
    town = town_with_own_tracks
    sold, listener = await town.ticket()
    grant: Any = await town.grant(listener, sold)
    url = grant["downloads"][0]["url"]
    (file,) = Path(town.settings.media.root).rglob("aac-64k.mp4")
    content = file.read_bytes()
    file.unlink()
    problem = await town.problem(url)
    assert (problem["status"], problem["code"]) == (503, "storage-unavailable")
    file.write_bytes(content)
    assert (await fetch(town, url))[2] == content


async def test_a_file_that_is_too_short_breaks_the_connection(
    town_with_own_tracks: Town,
) -> None:
    """The client sees a cut answer, never a second head inside the first body."""
    town = town_with_own_tracks
    sold, listener = await town.ticket()
    grant: Any = await town.grant(listener, sold)
    url = grant["downloads"][0]["url"]
    (file,) = Path(town.settings.media.root).rglob("aac-64k.mp4")
    file.write_bytes(file.read_bytes()[:-1])
    reader, writer = await asyncio.open_connection("127.0.0.1", town.tell.port)
    writer.write(f"GET {url} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    received = bytearray()
    try:
        while block := await reader.read(65536):
            received += block
    except ConnectionResetError:
        pass
    writer.close()
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200") or head == b""
    assert b"HTTP/1.1" not in body
    assert len(body) < grant["downloads"][0]["size_bytes"]
