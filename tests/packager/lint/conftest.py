"""One packaged track for all tests of the linter, and servers of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from media.track import Track
from tests.packager.lint.stand import PREFIX, Stand
from tests.sounds import publish_short_track

# Eight media segments: enough for small errors of durations to add up.
TRACK_S = 42.0
LADDER = ("aac-32k", "aac-64k", "opus-24k", "opus-48k")

# Starts a stand and gives the address under which its playlists lie.
Serve = Callable[[Stand], Awaitable[str]]


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Track, Path]:
    """A track, and the folder of its version; tests only read it."""
    root = tmp_path_factory.mktemp("lint") / "media"
    track = asyncio.run(publish_short_track(root, "one-week", "en", TRACK_S, 2.5, ladder=LADDER))
    return track, root / track.prefix


@pytest.fixture
def stand(published: tuple[Track, Path]) -> Stand:
    """The track, ready to be served rightly."""
    return Stand.of(*published)


@pytest.fixture
def serve(aiohttp_server: Callable[[web.Application], Awaitable[TestServer]]) -> Serve:
    """Start a stand on a free port."""

    async def start(stand: Stand) -> str:
        server = await aiohttp_server(stand.app())
        return str(server.make_url(PREFIX))

    return start
