"""delivery.mode = "cdn": an edge that was written after docs/delivery.md alone (verify.mjs)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from gateway.settings import DeliverySettings
from media.tokens import Keyring, StreamClaims, Tokens, read_key_lines
from media.track import Track
from tests.gateway.conftest import amc, chain, clock, media_root, track, tracks
from tests.gateway.town import Clients, HandClock, Town, open_town

__all__ = ["amc", "chain", "clock", "media_root", "track", "tracks"]

EDGE = Path(__file__).with_name("verify.mjs")
PAGE = Path(__file__).parents[2] / "docs" / "delivery.md"
SEGMENT = "bytes=1000-40999"


@dataclass
class Edge:
    """A running edge before a town's Tell."""

    town: Town
    session: aiohttp.ClientSession
    tokens: Tokens
    track: Track

    def url(self, ticket: str = "q7m2w5x4c3v6b7n2k3l4", name: str = "aac-64k.mp4") -> str:
        """A file, by a token of somebody's own."""
        return f"/stream/{self.token(ticket)}/{name}"

    def token(self, ticket: str, lasts: timedelta = timedelta(hours=1)) -> str:
        """A stream token for the track."""
        track = self.track
        return self.tokens.stream_token(
            StreamClaims(
                ticket,
                1,
                track.movie_id,
                track.language,
                track.version,
                self.town.clock.now + lasts,
            )
        )

    async def get(self, url: str, **headers: str) -> tuple[int, str, bytes]:
        """Ask the edge: status, whether it had it, and the body."""
        async with self.session.get(url, headers=headers) as answer:
            return answer.status, answer.headers.get("X-Edge", ""), await answer.read()


def edge_key(secret: bytes) -> str:
    """The key that docs/delivery.md has the edge be given."""
    found = re.search(r'^salt = "([^"]+)"$', PAGE.read_text("utf-8"), re.MULTILINE)
    assert found is not None
    return hmac.new(secret, found[1].encode(), hashlib.sha256).hexdigest()


@pytest.fixture
async def edge(
    tmp_path: Path,
    media_root: Path,
    track: Track,
    amc: TestServer,
    clock: HandClock,
    aiohttp_client: Clients,
) -> AsyncIterator[Edge]:
    """Tell with its media keys, and a node that knows what an edge may know."""
    node = shutil.which("node")
    if node is None:
        message = "node not found: it runs the edge of tests/edge"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    delivery = DeliverySettings(mode="cdn")
    town = await open_town(tmp_path, media_root, amc, clock, aiohttp_client, delivery=delivery)
    lines = read_key_lines(tmp_path / "secrets" / "media.keys", with_words=True)
    given = json.dumps({line.key_id: edge_key(line.secret) for line in lines})
    process = await asyncio.create_subprocess_exec(
        *(node, str(EDGE), f"http://127.0.0.1:{town.tell.port}"),
        stdout=subprocess.PIPE,
        env={
            "EDGE_KEYS": given,
            # Tell's clock stands still, and so does the edge's.
            "EDGE_NOW_S": str(clock.now.timestamp()),
            "PATH": os.environ["PATH"],
        },
    )
    assert process.stdout is not None
    port = int(await process.stdout.readline())
    ring = Keyring([(line.key_id, line.secret) for line in lines])
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            yield Edge(town, session, Tokens(ring, ring), track)
    finally:
        process.kill()
        await process.wait()


async def test_what_one_listener_fetched_is_there_for_all(
    edge: Edge, track: Track, media_root: Path
) -> None:
    """The edge asks Tell once a file, whoever listens; a token of the next one opens it too."""
    data = (media_root / track.prefix / "aac-64k.mp4").read_bytes()
    sold, listener = await edge.town.ticket()
    grant = await edge.town.grant(listener, sold)
    (hers,) = (each["url"] for each in grant["downloads"] if each["rendition"] == "aac-64k")
    assert await edge.get(hers, Range=SEGMENT) == (206, "miss", data[1000:41000])
    assert await edge.get(hers, Range=SEGMENT) == (206, "hit", data[1000:41000])
    assert await edge.get(edge.url(), Range=SEGMENT) == (206, "hit", data[1000:41000])
    # What is no file goes to Tell: playlists as ever.
    status, _, playlist = await edge.get(grant["hls"])
    assert status == 200
    assert b"#EXTM3U" in playlist


async def test_the_edge_refuses_what_tell_refuses(edge: Edge) -> None:
    """Every changed character, an unknown key, another purpose, a time that is over."""
    sold, listener = await edge.town.ticket()
    grant = await edge.town.grant(listener, sold)
    (hers,) = (each["url"] for each in grant["downloads"] if each["rendition"] == "aac-64k")
    assert (await edge.get(hers))[0] == 200
    good = hers.split("/")[2]
    wrong = [
        good[:at] + ("0" if good[at] != "0" else "1") + good[at + 1 :] for at in range(len(good))
    ]
    wrong += [good + "A", good[:-1], "zz" + good[2:], grant["hls"].split("/")[2]]
    wrong.append(edge.token("q7m2w5x4c3v6b7n2k3l4", timedelta(seconds=-1)))
    for token in wrong:
        status, had, body = await edge.get(f"/stream/{token}/aac-64k.mp4")
        assert (status, had, body) == (403, "", b""), token


async def test_only_an_edge_is_told_that_it_may_keep_files(
    edge: Edge, tmp_path: Path, media_root: Path, track: Track
) -> None:
    """By the field for CDNs, both ways of a segment; a browser is told what it always is."""
    sold, listener = await edge.town.ticket()
    grant = await edge.town.grant(listener, sold)
    (hers,) = (each["url"] for each in grant["downloads"] if each["rendition"] == "aac-64k")
    for headers in ({"Range": SEGMENT}, {"Range": SEGMENT}, {}, {"If-None-Match": "*"}):
        async with edge.town.tell.get(hers, headers=headers) as answer:
            assert answer.headers["CDN-Cache-Control"] == "public, max-age=31536000, immutable"
            assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    async with edge.town.tell.get(grant["hls"]) as answer:
        assert "CDN-Cache-Control" not in answer.headers
