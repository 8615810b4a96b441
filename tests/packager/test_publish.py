"""The switch from one version to the next, with a storage that fails at every possible write."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from media.errors import StorageError
from media.storage import LocalStorage
from media.track import Track, current_key, load_current
from packager.errors import PublishError
from packager.publish import publish
from tests.packager.conftest import Published
from tests.sounds import publish_short_track


class _FailingStorage(LocalStorage):
    """A local folder whose disk is full from write number *fails_at* on (from 0)."""

    def __init__(self, root: Path, fails_at: int) -> None:
        super().__init__(root)
        self._left = fails_at

    async def put_file(self, key: str, source: Path) -> None:
        self._count(key)
        await super().put_file(key, source)

    async def replace(self, key: str, data: bytes) -> None:
        self._count(key)
        await super().replace(key, data)

    def _count(self, key: str) -> None:
        self._left -= 1
        if self._left < 0:
            raise StorageError(key, "No space left on device")


def _files(published: Published) -> dict[str, Path]:
    return {r.name: published.file(r.name) for r in published.track.renditions}


def _as(track: Track, movie_id: str) -> Track:
    return track.model_copy(update={"movie_id": movie_id})


@pytest.mark.parametrize("fails_at", range(7))
async def test_failing_write_leaves_the_old_track_current(
    tmp_path: Path, published: Published, fails_at: int
) -> None:
    """Five files, track.json, current.json: whichever fails, listeners hear the old version.

    Before the switch nothing of the new version stays; at the switch all of it does.
    """
    old = await publish_short_track(tmp_path, "film", seconds=1.0, ladder=("opus-24k",))
    track = _as(published.track, "film")
    storage = _FailingStorage(tmp_path, fails_at)
    with pytest.raises(PublishError, match="No space left") as caught:
        await publish(track, _files(published), storage, lambda _: None)
    assert caught.value.code == "publish-failed"
    pointer = (tmp_path / current_key("film", "en")).read_bytes()
    assert load_current(pointer, "current.json").version == old.version
    there = await LocalStorage(tmp_path).list(track.prefix)
    assert len(there) == (6 if fails_at == 6 else 0)


async def test_publishing_goes_on_where_it_failed(tmp_path: Path, published: Published) -> None:
    """After a failure the same publication succeeds."""
    track = _as(published.track, "film")
    storage = _FailingStorage(tmp_path, 6)
    with pytest.raises(PublishError):
        await publish(track, _files(published), storage, lambda _: None)
    told: list[int] = []
    await publish(track, _files(published), LocalStorage(tmp_path), told.append)
    assert told == []  # all was there; only the switch was left
    pointer = (tmp_path / current_key("film", "en")).read_bytes()
    assert load_current(pointer, "current.json").version == track.version


async def test_cancelled_publication_leaves_nothing(tmp_path: Path, published: Published) -> None:
    """Ctrl-C between two files takes back what was stored."""
    track = _as(published.track, "film")
    waiting = asyncio.Event()

    class Stuck(LocalStorage):
        async def put_file(self, key: str, source: Path) -> None:
            await super().put_file(key, source)
            if "opus" in key:
                waiting.set()

    async def cancel_when_waiting() -> None:
        await waiting.wait()
        task.cancel()

    task = asyncio.ensure_future(publish(track, _files(published), Stuck(tmp_path), lambda _: None))
    await cancel_when_waiting()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await LocalStorage(tmp_path).list("tracks") == []
