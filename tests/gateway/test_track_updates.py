"""A track is published anew, withdrawn and brought back while people listen to it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import m3u8
import pytest
from aiohttp.test_utils import TestServer

from media.storage import LocalStorage
from media.track import Track
from packager.publishing.garbage import sweep
from packager.publishing.restore import roll_back, withdraw
from packager.settings import GarbageSection
from tests.gateway.town import Clients, HandClock, Town, bearer, open_town
from tests.sounds import publish_short_track

MOVIE_ID = "the-general"
LADDER = ("aac-64k",)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Storage folder of this town alone."""
    return tmp_path / "media"


@pytest.fixture
async def old(root: Path) -> Track:
    """The version that is current when the town opens."""
    return await publish_short_track(root, MOVIE_ID, seconds=12.0, ladder=LADDER)


@pytest.fixture
async def busy_town(
    tmp_path: Path,
    root: Path,
    old: Track,
    amc: TestServer,
    clock: HandClock,
    aiohttp_client: Clients,
    database_url: str,
) -> Town:
    """A town whose storage changes."""
    return await open_town(tmp_path, root, amc, clock, aiohttp_client, database_url)


async def test_listeners_finish_on_the_version_that_they_began_on(
    busy_town: Town, root: Path, old: Track
) -> None:
    """Bytes, playlists and lengths of the old version go on; a new grant has the new one."""
    sold, listener = await busy_town.ticket()
    before = await busy_town.grant(listener, sold)
    begun = await _bytes(busy_town, before, 0, 9_999)

    new = await publish_short_track(root, MOVIE_ID, seconds=15.0, ladder=LADDER, seed=2)
    assert new.version != old.version

    rest = await _bytes(busy_town, before, 10_000, None)
    assert hashlib.sha256(begun + rest).hexdigest() == _sha256(old)
    assert await _playlist_s(busy_town, before) == pytest.approx(old.duration_s)

    after = await busy_town.grant(listener, sold)
    assert _download(after)["sha256"] == _sha256(new)
    assert await _playlist_s(busy_town, after) == pytest.approx(new.duration_s)
    whole = await _bytes(busy_town, after, 0, None)
    assert hashlib.sha256(whole).hexdigest() == _sha256(new)


async def test_a_withdrawn_track_is_not_described_and_is_heard_to_the_end(
    busy_town: Town, root: Path, old: Track, clock: HandClock
) -> None:
    """No new grant; who has one listens on; rolled back, it is offered again."""
    storage = LocalStorage(root)
    sold, listener = await busy_town.ticket()
    grant = await busy_town.grant(listener, sold)

    await withdraw(storage, MOVIE_ID, "en", clock)
    problem = await busy_town.problem(
        f"/media/audio/{MOVIE_ID}?ticket={sold.correlation_id}", headers=bearer(listener)
    )
    assert (problem["status"], problem["code"]) == (404, "not-described")
    # What a sweep keeps for listeners is there for them.
    done = await sweep(storage, root.parent / "work", GarbageSection(), clock, dry_run=False)
    assert done.removed == []
    assert await _playlist_s(busy_town, grant) == pytest.approx(old.duration_s)
    assert hashlib.sha256(await _bytes(busy_town, grant, 0, None)).hexdigest() == _sha256(old)

    await roll_back(storage, MOVIE_ID, "en", None, clock, lambda _: None)
    again = await busy_town.grant(listener, sold)
    assert _download(again)["sha256"] == _sha256(old)


async def test_a_second_language_appears_while_people_listen(busy_town: Town, root: Path) -> None:
    """A language that is published later is offered with the next grant, and by name."""
    sold, listener = await busy_town.ticket()
    assert (await busy_town.grant(listener, sold))["languages"] == ["en"]
    spanish = await publish_short_track(root, MOVIE_ID, "es", 6.0, ladder=LADDER, seed=3)
    assert (await busy_town.grant(listener, sold))["languages"] == ["en", "es"]
    path = f"/media/audio/{MOVIE_ID}?ticket={sold.correlation_id}&language=es"
    async with busy_town.tell.get(path, headers=bearer(listener)) as answer:
        assert _download(await answer.json())["sha256"] == _sha256(spanish)


def _sha256(track: Track) -> str:
    return track.renditions[0].sha256


def _download(grant: Any) -> Any:
    (only,) = grant["downloads"]
    return only


async def _bytes(town: Town, grant: Any, first: int, last: int | None) -> bytes:
    wanted = f"bytes={first}-{'' if last is None else last}"
    async with town.tell.get(_download(grant)["url"], headers={"Range": wanted}) as answer:
        assert answer.status == 206, await answer.text()
        return await answer.read()


async def _playlist_s(town: Town, grant: Any) -> float:
    """Length of the Media Playlist that the granted Multivariant Playlist leads to."""
    multivariant = m3u8.loads(await town.text(grant["hls"]))
    media = m3u8.loads(await town.text(multivariant.playlists[0].uri))
    return float(sum(segment.duration for segment in media.segments))
