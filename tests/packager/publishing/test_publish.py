"""The switch from one version to the next, with a storage that fails at every possible write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from media.errors import StorageError
from media.storage import LocalStorage
from media.track import Track, current_key, load_current
from packager.encoding.ladder import DEFAULT_LADDER
from packager.errors import PublishError
from packager.publishing.locking import locked
from packager.publishing.publish import Publication
from tests.packager.conftest import Published
from tests.sounds import publish_short_track, published_at


class _FailingStorage(LocalStorage):
    """A local folder whose disk is full from write number *fails_at* on (from 0)."""

    def __init__(self, root: Path, fails_at: int) -> None:
        super().__init__(root)
        self._left = fails_at

    async def put_file(self, key: str, source: Path) -> None:
        self._count(key)
        await super().put_file(key, source)

    async def replace(self, key: str, data: bytes) -> None:
        # `swap` of current.json ends here too.
        self._count(key)
        await super().replace(key, data)

    def _count(self, key: str) -> None:
        self._left -= 1
        if self._left < 0:
            raise StorageError(key, "No space left on device")


def _files(published: Published) -> dict[str, Path]:
    return {r.name: published.file(r.name) for r in published.track.renditions}


async def _publish(
    track: Track,
    published: Published,
    storage: LocalStorage,
    on_stored: Callable[[int], None] = lambda _: None,
) -> None:
    async with locked(storage, track.movie_id, track.language) as hold:
        await Publication(track, storage, hold).publish(
            _files(published), b"<p>report", published_at, on_stored
        )


def _as(track: Track, movie_id: str) -> Track:
    return track.model_copy(update={"movie_id": movie_id})


@pytest.mark.parametrize("fails_at", range(len(DEFAULT_LADDER) + 3))
async def test_failing_write_leaves_the_old_track_current(
    tmp_path: Path, published: Published, fails_at: int
) -> None:
    """Files, report, track.json, current.json: whichever fails, listeners hear the old version.

    Before the switch nothing of the new version stays; at the switch all of it does.
    """
    old = await publish_short_track(tmp_path, "film", seconds=6.0, ladder=("opus-24k",))
    track = _as(published.track, "film")
    storage = _FailingStorage(tmp_path, fails_at)
    with pytest.raises(PublishError, match="No space left") as caught:
        await _publish(track, published, storage)
    assert caught.value.code == "publish-failed"
    pointer = (tmp_path / current_key("film", "en")).read_bytes()
    assert load_current(pointer, "current.json").version == old.version
    there = await LocalStorage(tmp_path).list(track.prefix)
    whole = len(DEFAULT_LADDER) + 2
    assert len(there) == (whole if fails_at == whole else 0)


async def test_publishing_goes_on_where_it_failed(tmp_path: Path, published: Published) -> None:
    """After a failure the same publication succeeds."""
    track = _as(published.track, "film")
    storage = _FailingStorage(tmp_path, len(track.renditions) + 2)
    with pytest.raises(PublishError):
        await _publish(track, published, storage)
    told: list[int] = []
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.mp4")}
    await _publish(track, published, LocalStorage(tmp_path), told.append)
    assert told == list(range(1, len(track.renditions) + 1))
    # All was there and was read again; only the switch was left.
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.mp4")} == before
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

    task = asyncio.ensure_future(_publish(track, published, Stuck(tmp_path)))
    await cancel_when_waiting()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await LocalStorage(tmp_path).list("tracks") == []


async def test_a_stop_that_comes_after_the_switch_comes_too_late(
    tmp_path: Path, published: Published
) -> None:
    """Ctrl-C while current.json is written: it is published, and that is what is said."""
    track = _as(published.track, "film")

    class Slow(LocalStorage):
        async def swap(self, key: str, data: bytes, tag: str | None) -> None:
            await super().swap(key, data, tag)
            task.cancel()
            # It takes one more turn to say so.
            await asyncio.sleep(0)

    task = asyncio.ensure_future(_publish(track, published, Slow(tmp_path)))
    await task
    assert task.cancelling() == 0
    pointer = await LocalStorage(tmp_path).read(current_key("film", "en"))
    assert load_current(pointer, "current.json").version == track.version


async def test_a_damaged_file_of_the_same_version_is_stored_anew(
    tmp_path: Path, published: Published
) -> None:
    """What is there already is hashed before it is trusted: bit rot is mended by the next run."""
    track = _as(published.track, "film")
    storage = LocalStorage(tmp_path)
    await _publish(track, published, storage)
    file = storage.path(f"{track.prefix}/aac-64k.mp4")
    good = file.read_bytes()
    file.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    await _publish(track, published, storage)
    assert file.read_bytes() == good


async def test_a_storage_that_changes_what_it_is_given_is_found_out(
    tmp_path: Path, published: Published
) -> None:
    """What was just stored is read back; other bytes are never made current."""
    track = _as(published.track, "film")

    class Lossy(LocalStorage):
        async def put_file(self, key: str, source: Path) -> None:
            await super().put_file(key, source)
            with self.path(key).open("r+b") as file:
                file.truncate(1000)

    with pytest.raises(PublishError, match="other bytes than it was given"):
        await _publish(track, published, Lossy(tmp_path))
    assert await LocalStorage(tmp_path).list("tracks") == []


async def test_history_is_kept_with_the_pointer(tmp_path: Path, published: Published) -> None:
    """current.json says since when a version is current, and until when the one before it was."""
    old = await publish_short_track(tmp_path, "film", seconds=6.0, ladder=("opus-24k",))
    track = _as(published.track, "film")
    await _publish(track, published, LocalStorage(tmp_path))
    key = current_key("film", "en")
    current = load_current((tmp_path / key).read_bytes(), key)
    assert (current.version, current.since) == (track.version, published_at())
    assert [(each.version, each.until) for each in current.earlier] == [
        (old.version, published_at())
    ]
