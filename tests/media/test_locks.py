"""Locks of a local folder, between processes that live and die."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from media.errors import LockedError, StorageError
from media.storage import LocalStorage

FOLDER = "tracks/film/en"
# Takes the lock, says so, and holds it until it is killed.
HOLDER = """
import asyncio, sys, pathlib
from media.storage import LocalStorage
async def hold():
    async with LocalStorage(pathlib.Path(sys.argv[1])).lock(sys.argv[2], "a run that is killed"):
        print("held", flush=True)
        await asyncio.Event().wait()
asyncio.run(hold())
"""


@pytest.fixture(name="storage")
def _storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "media")


async def test_a_second_holder_is_refused_and_told(storage: LocalStorage) -> None:
    """At once, with the first one's name; another track is free; released, so is this one."""
    async with storage.lock(FOLDER, "process 1 on here") as hold:
        hold.check()
        with pytest.raises(LockedError, match="process 1 on here"):
            async with storage.lock(FOLDER, "process 2"):
                pass
        async with storage.lock("tracks/film/es", "process 2"):
            pass
    async with storage.lock(FOLDER, "process 2") as hold:
        hold.check()


async def test_nothing_is_left_of_it(storage: LocalStorage, tmp_path: Path) -> None:
    """Folders that were made for it go with it; what came into them stays."""
    async with storage.lock(FOLDER, "me"):
        pass
    assert list(tmp_path.iterdir()) == []
    async with storage.lock(FOLDER, "me"):
        await storage.replace(f"{FOLDER}/current.json", b"{}")
    left = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")]
    assert f"media/{FOLDER}/current.json" in left
    assert not any(path.endswith(".lock") for path in left)


async def test_a_killed_holder_holds_nothing(storage: LocalStorage, tmp_path: Path) -> None:
    """Its file is still there; the lock is not, and the next holder removes the file."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, str(tmp_path / "media"), FOLDER,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            assert await process.stdout.readline() == b"held\n"
        with pytest.raises(LockedError, match="a run that is killed"):
            async with storage.lock(FOLDER, "me"):
                pass
    finally:
        process.kill()
        await process.wait()
    assert storage.path(f"{FOLDER}/.lock").is_file()
    async with storage.lock(FOLDER, "me"):
        pass
    assert list((tmp_path / "media").iterdir()) == []


async def test_of_many_at_once_one_holds_it(storage: LocalStorage) -> None:
    """Takers and releasers that meet never hold it two at a time."""
    inside = 0

    async def take() -> bool:
        nonlocal inside
        try:
            async with storage.lock(FOLDER, "one of many"):
                inside += 1
                assert inside == 1
                await asyncio.to_thread(lambda: None)
                inside -= 1
        except LockedError:
            return False
        return True

    for _ in range(20):
        taken = await asyncio.gather(*(take() for _ in range(8)))
        assert any(taken)


async def test_a_folder_that_was_replaced_is_noticed(storage: LocalStorage, tmp_path: Path) -> None:
    """A disk that is taken away, or mounted over, while a run is in it."""
    async with storage.lock(FOLDER, "me") as hold:
        (tmp_path / "media").rename(tmp_path / "away")
        with pytest.raises(StorageError, match="removed or replaced"):
            hold.check()
        async with storage.lock(FOLDER, "another, in its place") as other:
            other.check()
            with pytest.raises(StorageError, match="removed or replaced"):
                hold.check()


async def test_a_root_that_is_no_folder(storage: LocalStorage, tmp_path: Path) -> None:
    """It is an error of the storage, and nobody's lock."""
    (tmp_path / "media").touch()
    with pytest.raises(StorageError, match="Not a directory"):
        async with storage.lock(FOLDER, "me"):
            pass
