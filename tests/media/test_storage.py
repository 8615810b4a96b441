"""The local folder as an object store."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

import pytest

from media.errors import (
    ConflictError,
    InvalidIdError,
    ObjectNotFoundError,
    RangeError,
    StorageError,
)
from media.storage import LocalStorage

KEY = "tracks/film/en/current.json"


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    """A storage whose folder does not exist yet."""
    return LocalStorage(tmp_path / "media")


async def test_object_reads_back(storage: LocalStorage, tmp_path: Path) -> None:
    """A stored file and a written object are there whole, with their sizes."""
    source = tmp_path / "source"
    source.write_bytes(b"sound" * 1000)
    await storage.put_file("tracks/a.mp4", source)
    await storage.replace(KEY, b"{}")
    assert await storage.read("tracks/a.mp4") == b"sound" * 1000
    assert await storage.size("tracks/a.mp4") == 5000
    assert await storage.read(KEY) == b"{}"


async def test_who_goes_away_while_it_is_opened_leaves_no_file_open(storage: LocalStorage) -> None:
    """A named pipe stands for a slow disk: it is open once somebody writes (fifo(7))."""
    await storage.replace(KEY, b"{}")
    pipe = storage.path("tracks/pipe")
    os.mkfifo(pipe)
    reading = asyncio.create_task(storage.read_range("tracks/pipe", 0, 1))
    # Opening it to write, without waiting, succeeds as soon as it is being opened to be read.
    await storage.read(KEY)
    reading.cancel()
    async with asyncio.timeout(20):
        while True:
            await storage.read(KEY)
            with suppress(OSError):
                writer = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
                break
    with pytest.raises(asyncio.CancelledError):
        await reading
    with pytest.raises(BrokenPipeError):
        os.write(writer, b"x")
    os.close(writer)


async def test_ranges(storage: LocalStorage) -> None:
    """A range in the middle, one over the end (shorter), and one past it (an error)."""
    await storage.replace(KEY, b"0123456789")
    assert await storage.read_range(KEY, 2, 3) == b"234"
    assert await storage.read_range(KEY, 8, 100) == b"89"
    with pytest.raises(RangeError) as caught:
        await storage.read_range(KEY, 10, 1)
    assert (caught.value.start, caught.value.size_bytes) == (10, 10)
    with pytest.raises(RangeError):
        await storage.read_range(KEY, -1, 1)


@pytest.mark.parametrize("key", ["tracks/absent", "tracks/film", "tracks/film/en/current.json/x"])
async def test_absent_object(storage: LocalStorage, key: str) -> None:
    """What is not there, is a folder, or lies below a file, is no object."""
    await storage.replace(KEY, b"{}")
    with pytest.raises(ObjectNotFoundError):
        await storage.read(key)
    with pytest.raises(ObjectNotFoundError):
        await storage.read_range(key, 0, 1)


@pytest.mark.parametrize(
    "key", ["../secret", "tracks/../../secret", "/etc/passwd", "tracks//a", "a/\0", "a/b\n", ""]
)
async def test_key_that_climbs_is_refused(storage: LocalStorage, key: str) -> None:
    """No key leads out of the folder, for reading or writing."""
    with pytest.raises(InvalidIdError):
        await storage.read(key)
    with pytest.raises(InvalidIdError):
        await storage.size(key)
    with pytest.raises(InvalidIdError):
        await storage.replace(key, b"x")


async def test_list_is_sorted_and_shows_no_unfinished_work(
    storage: LocalStorage, tmp_path: Path
) -> None:
    """Keys below a folder; a write that is under way (or was killed) is not among them."""
    await storage.replace("tracks/b/two", b"")
    await storage.replace("tracks/a/one", b"")
    await storage.replace("other/three", b"")
    (tmp_path / "media/tracks/a/.one.0badf00d.part").touch()
    assert await storage.list("tracks") == ["tracks/a/one", "tracks/b/two"]
    assert await storage.list("absent") == []


async def test_replace_is_atomic(storage: LocalStorage) -> None:
    """A reader sees the old object or the new one, never a part or nothing."""
    contents = {letter * 100_000 for letter in (b"a", b"b")}
    await storage.replace(KEY, b"a" * 100_000)

    async def write() -> None:
        for _ in range(20):
            for content in sorted(contents):
                await storage.replace(KEY, content)

    writing = asyncio.ensure_future(write())
    while not writing.done():
        assert await storage.read(KEY) in contents
    await writing


async def test_delete_removes_empty_folders(storage: LocalStorage, tmp_path: Path) -> None:
    """The last object takes its folders along, and not the root."""
    await storage.replace("tracks/film/a", b"")
    await storage.replace("tracks/film/b", b"")
    await storage.delete("tracks/film/a")
    assert await storage.list("tracks") == ["tracks/film/b"]
    await storage.delete("tracks/film/b")
    assert list((tmp_path / "media").iterdir()) == []
    with pytest.raises(ObjectNotFoundError):
        await storage.delete("tracks/film/b")


async def test_failed_write_leaves_nothing(storage: LocalStorage, tmp_path: Path) -> None:
    """A source that cannot be read, or a root that is no folder, is a StorageError."""
    with pytest.raises(StorageError, match="No such file"):
        await storage.put_file("tracks/a", tmp_path / "absent")
    assert await storage.list("tracks") == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    root = tmp_path / "file"
    root.touch()
    with pytest.raises(StorageError, match="Not a directory"):
        await LocalStorage(root).replace(KEY, b"{}")


async def test_folders_are_named_without_what_is_hidden(
    storage: LocalStorage, tmp_path: Path
) -> None:
    """Folders directly below, sorted; files and hidden folders are none."""
    await storage.replace("tracks/b/en/x", b"")
    await storage.replace("tracks/a", b"")
    await storage.replace("tracks/c/x", b"")
    (tmp_path / "media/tracks/.hidden").mkdir()
    assert await storage.folders("tracks") == ["b", "c"]
    assert await storage.folders("tracks/a") == []
    assert await storage.folders("absent") == []


async def test_swap_only_from_what_was_read(storage: LocalStorage) -> None:
    """Another's write in between makes it a conflict, and nothing is changed."""
    await storage.swap(KEY, b"first", None)
    tag = (await storage.read_tagged(KEY)).tag
    with pytest.raises(ConflictError):
        await storage.swap(KEY, b"second", None)
    await storage.swap(KEY, b"third", tag)
    with pytest.raises(ConflictError):
        await storage.swap(KEY, b"fourth", tag)
    assert await storage.read(KEY) == b"third"


async def test_staged_parts_of_killed_writers_are_found_and_removed(
    storage: LocalStorage, tmp_path: Path
) -> None:
    """What is published stays, and a folder of parts alone goes too."""
    await storage.replace("tracks/film/en/v1/a.mp4", b"sound")
    folder = tmp_path / "media/tracks/film/en"
    (folder / "v1/.b.mp4.0badf00d.part").write_bytes(b"half")
    (folder / "v2").mkdir()
    (folder / "v2/.a.mp4.0badf00d.part").write_bytes(b"")
    assert [each.size_bytes for each in await storage.unfinished("tracks/film/en")] == [4, 0]
    await storage.remove_unfinished("tracks/film/en")
    assert await storage.unfinished("tracks/film/en") == []
    assert sorted(path.name for path in folder.iterdir()) == ["v1"]
    assert await storage.read("tracks/film/en/v1/a.mp4") == b"sound"
