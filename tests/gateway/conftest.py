"""What the gateway's tests share: a chain, a published track, and a town."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiohttp.test_utils import TestServer

from media.library import Library
from media.storage import LocalStorage
from media.track import Track, current_key, dump_track
from tests.gateway.town import (
    NOW,
    Clients,
    HandClock,
    Seconds,
    Town,
    amc_app,
    make_chain,
    open_town,
)
from tests.services.mariadb import tell_database
from tests.services.once import made_once
from tests.sounds import FULL_LADDER, publish_short_track

TRACK_S = 12.0
TRACK_OFFSET_S = 2.5


@pytest.fixture(scope="session")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Track]:
    """Storage folder with The General in English and Spanish, and the English track."""

    async def publish(root: Path) -> None:
        await publish_short_track(root, "the-general", "es", TRACK_S, seed=2)
        await publish_short_track(
            root, "the-general", "en", TRACK_S, TRACK_OFFSET_S, ladder=FULL_LADDER
        )

    folder = made_once(
        tmp_path_factory, "the-general", lambda made: asyncio.run(publish(made / "root"))
    )
    track = asyncio.run(Library(LocalStorage(folder / "root")).resolve("the-general", None, "en"))
    return folder / "root", track


@pytest.fixture
def track(tracks: tuple[Path, Track]) -> Track:
    """The published English track of The General; its sample 0 is 2.5 s into the film."""
    return tracks[1]


@pytest.fixture
def media_root(tracks: tuple[Path, Track]) -> Path:
    """The storage folder; tests only read it."""
    return tracks[0]


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An AMC-clone database to copy."""
    folder = made_once(
        tmp_path_factory, "chain", lambda made: asyncio.run(make_chain(made / "amc.db"))
    )
    return folder / "amc.db"


@pytest.fixture
def clock() -> HandClock:
    """The one clock of Tell and AMC-clone."""
    return HandClock(NOW)


@pytest.fixture
def one_window(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    """The clock of the limits that are counted in memory, which stands still until it is moved.

    Their library begins a window at each full minute; one that began amid a test would give its
    client one more, since of the window before a little has slid out by then.
    """
    seconds = Seconds(time.time())
    monkeypatch.setattr("limits.aio.storage.memory.time", SimpleNamespace(time=seconds))
    return seconds


@pytest.fixture
async def amc(chain: Path, tmp_path: Path, clock: HandClock) -> AsyncIterator[TestServer]:
    """A running AMC-clone with free auditoriums tonight."""
    shutil.copy(chain, tmp_path / "amc.db")
    server = TestServer(amc_app(tmp_path / "amc.db", clock))
    await server.start_server()
    yield server
    await server.close()


@pytest.fixture
async def town_with_own_tracks(
    tmp_path: Path,
    track: Track,
    media_root: Path,
    amc: TestServer,
    clock: HandClock,
    aiohttp_client: Clients,
    database_url: str,
) -> Town:
    """A town whose storage holds the English track's aac-64k alone, and may be broken."""
    root = tmp_path / "media"
    shutil.copytree(media_root / track.prefix, root / track.prefix)
    for file in (root / track.prefix).glob("*.mp4"):
        if file.name != "aac-64k.mp4":
            file.unlink()
    one = track.model_copy(update={"renditions": (track.rendition("aac-64k"),)})
    (root / track.prefix / "track.json").write_bytes(dump_track(one))
    current = current_key(track.movie_id, track.language)
    shutil.copy(media_root / current, root / current)
    return await open_town(tmp_path, root, amc, clock, aiohttp_client, database_url)


@pytest.fixture
async def database_url(
    request: pytest.FixtureRequest, database_kind: str, new_tell_db: Path, tmp_path: Path
) -> str:
    """Where the town's Tell keeps its purchases."""
    if database_kind == "sqlite":
        return f"sqlite:///{shutil.copy(new_tell_db, tmp_path / 'tell.db')}"
    return await tell_database(request.getfixturevalue("mariadb_server"))


@pytest.fixture
async def town(
    tmp_path: Path,
    media_root: Path,
    amc: TestServer,
    clock: HandClock,
    aiohttp_client: Clients,
    database_url: str,
) -> AsyncIterator[Town]:
    """AMC-clone and Tell, both running."""
    town = await open_town(tmp_path, media_root, amc, clock, aiohttp_client, database_url)
    yield town
    # Not always the one that it began with; closing twice does no harm.
    await town.amc.close()
