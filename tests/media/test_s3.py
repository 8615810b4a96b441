"""A bucket as the storage of tracks, on a real S3 server."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from media.errors import (
    ConflictError,
    InvalidIdError,
    LockedError,
    ObjectNotFoundError,
    RangeError,
    StorageError,
)
from media.lease import Lease
from media.s3 import S3Storage
from media.settings import MediaSettings
from media.storage import Hold, LocalStorage
from media.storages import open_storage
from tests.services.s3 import CREDENTIALS, S3Server, s3_server, utc_now

# One worker runs them all, so that one server is started for them.
pytestmark = pytest.mark.xdist_group("s3")

KEY = "tracks/film/en/current.json"
FOLDER = "tracks/film/en"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server for the tests of this module."""
    with s3_server(tmp_path_factory.mktemp("s3") / "server") as running:
        yield running


@pytest.fixture
def storage(server: S3Server, request: pytest.FixtureRequest) -> S3Storage:
    """An empty storage: a prefix of its own for each test."""
    return server.storage("films", request.node.name.partition("[")[0][:60])


async def test_object_reads_back(storage: S3Storage, tmp_path: Path) -> None:
    """A file in several parts and a small object are there whole, with sizes and ranges."""
    content = bytes(range(256)) * 4096 * 20
    source = tmp_path / "source"
    source.write_bytes(content)
    await storage.put_file("tracks/film/en/a.mp4", source)
    await storage.replace(KEY, b"{}")
    assert await storage.size("tracks/film/en/a.mp4") == len(content)
    assert await storage.read("tracks/film/en/a.mp4") == content
    assert await storage.read_range("tracks/film/en/a.mp4", 300, 5) == content[300:305]
    assert await storage.read_range(KEY, 1, 100) == b"}"
    assert storage.where(KEY) == f"s3://films/test_object_reads_back/{KEY}"


async def test_what_is_not_there(storage: S3Storage, tmp_path: Path) -> None:
    """Absent objects, ranges past the end and keys that climb are told as in a folder."""
    await storage.replace(KEY, b"0123456789")
    for absent in (storage.read("tracks/no"), storage.size("tracks/no")):
        with pytest.raises(ObjectNotFoundError):
            await absent
    with pytest.raises(ObjectNotFoundError):
        await storage.delete("tracks/no")
    for start in (10, -1):
        with pytest.raises(RangeError) as caught:
            await storage.read_range(KEY, start, 1)
        assert caught.value.size_bytes == 10
    with pytest.raises(InvalidIdError):
        await storage.read("../secret")
    with pytest.raises(StorageError, match="No such file"):
        await storage.put_file("tracks/a", tmp_path / "absent")


async def test_lists_and_folders(storage: S3Storage) -> None:
    """Keys below a folder and the folders in it, sorted; a lock is not among the keys."""
    for key in ("tracks/b/en/two", "tracks/a/en/one", "other/three"):
        await storage.replace(key, b"x")
    async with storage.lock("tracks/a/en", "me"):
        assert await storage.list("tracks") == ["tracks/a/en/one", "tracks/b/en/two"]
    assert await storage.folders("tracks") == ["a", "b"]
    assert await storage.folders("tracks/a") == ["en"]
    assert await storage.folders("absent") == []


@pytest.mark.parametrize("conditional", [True, False])
async def test_of_several_swaps_one_wins(server: S3Server, conditional: bool) -> None:
    """A swap from a tag that is not current changes nothing, whoever keeps the condition."""
    storage = server.storage("films", f"swap-{conditional}", conditional_put=conditional)
    await storage.swap(KEY, b"first", None)
    with pytest.raises(ConflictError):
        await storage.swap(KEY, b"second", None)
    old = await storage.read_tagged(KEY)
    await storage.swap(KEY, b"third", old.tag)
    with pytest.raises(ConflictError):
        await storage.swap(KEY, b"fourth", old.tag)
    assert await storage.read(KEY) == b"third"
    with pytest.raises(ConflictError):
        await storage.swap("tracks/gone", b"x", old.tag)


async def test_of_many_at_once_one_wins(storage: S3Storage) -> None:
    """The server itself decides between writers that come at the same time."""
    await storage.swap(KEY, b"old", None)
    tag = (await storage.read_tagged(KEY)).tag
    writers = [storage.swap(KEY, b"new %d" % number, tag) for number in range(8)]
    results = await asyncio.gather(*writers, return_exceptions=True)
    assert [type(each) for each in results if each is not None] == [ConflictError] * 7


async def test_lock_keeps_another_run_away(storage: S3Storage) -> None:
    """A second holder is refused at once and told who holds it; released, it is free."""
    async with storage.lock(FOLDER, "process 1 on here") as hold:
        hold.check()
        with pytest.raises(LockedError, match="process 1 on here"):
            async with storage.lock(FOLDER, "process 2 on there"):
                pass
    async with storage.lock(FOLDER, "process 2 on there"):
        pass


async def test_lock_of_a_killed_run_ends_by_itself(storage: S3Storage) -> None:
    """Once its time is over another run takes it, and the first one knows that it lost it."""
    long_ago = utc_now() - timedelta(hours=1)
    key = f"{FOLDER}/lock.json"
    lasts = timedelta(seconds=60)
    async with Lease(storage, key, "killed", lambda: long_ago, lasts) as lost:
        lost.check()
        async with storage.lock(FOLDER, "next") as hold:
            hold.check()
    # The first one's release does not take away what is not its own any more.
    with pytest.raises(ObjectNotFoundError):
        await storage.read(key)


async def test_lock_is_renewed(server: S3Server) -> None:
    """A holder that lives stays beyond the time of one lease."""
    storage = server.storage("films", "renewed", lease_s=3.0)
    key = f"{FOLDER}/lock.json"
    async with storage.lock(FOLDER, "me") as hold:
        first = await storage.read_tagged(key)
        async with asyncio.timeout(20):
            while (await storage.read_tagged(key)).tag == first.tag:
                assert first.data.startswith(b'{"owner": "me"')
        hold.check()


async def test_a_stolen_lock_is_noticed(server: S3Server) -> None:
    """Where another run overwrote it, the holder is told before it switches anything."""
    storage = server.storage("films", "stolen", lease_s=3.0)
    async with storage.lock(FOLDER, "me") as hold:
        theft = {"owner": "a thief", "until": utc_now().isoformat(), "nonce": ""}
        await storage.replace(f"{FOLDER}/lock.json", json.dumps(theft).encode())
        async with asyncio.timeout(20):
            holder = await _holder_when_lost(hold, storage)
    assert holder == "a thief"
    # What is not its own it leaves there.
    assert b"a thief" in await storage.read(f"{FOLDER}/lock.json")


async def _holder_when_lost(hold: Hold, storage: S3Storage) -> str:
    while True:
        try:
            hold.check()
        except LockedError as error:
            return error.holder
        # A question to the server in each turn, while the lease asks its own.
        await storage.folders("tracks")


async def test_upload_of_a_killed_run_is_found_and_removed(
    server: S3Server, storage: S3Storage, tmp_path: Path
) -> None:
    """Parts that nobody finished are no object; they are listed, and aborted."""
    source = tmp_path / "large"
    with source.open("wb") as file:
        file.truncate(2_000_000_000)
    code = (
        "import asyncio, sys, pathlib; from demo.services.s3 import *;"
        "from media.s3 import S3Storage;"
        f"s = S3Storage('films', {storage.where('x').split('/')[3]!r},"
        f" S3Settings(endpoint={server.endpoint!r}), CREDENTIALS, utc_now);"
        "asyncio.run(s.put_file('tracks/film/en/v/a.mp4', pathlib.Path(sys.argv[1])))"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(source))
    try:
        async with asyncio.timeout(60):
            while not await storage.unfinished(FOLDER):
                assert process.returncode is None
    finally:
        process.kill()
        await process.wait()
    assert await storage.list("tracks") == []
    assert await storage.unfinished("tracks/other") == []
    await storage.remove_unfinished(FOLDER)
    assert await storage.unfinished(FOLDER) == []


async def test_wrong_credentials_show_no_secret(
    server: S3Server, caplog: pytest.LogCaptureFixture
) -> None:
    """A refused key is an error that names the object and what the server said, and no more."""
    caplog.set_level(logging.DEBUG)
    wrong = {"AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": "guessed-it"}
    storage = S3Storage("films", "x", server.settings(), wrong, utc_now)
    with pytest.raises(StorageError, match="InvalidAccessKeyId") as caught:
        await storage.read(KEY)
    with pytest.raises(StorageError, match="answers 403") as refused:
        await storage.unfinished(FOLDER)
    for text in (str(caught.value), str(refused.value), caplog.text):
        assert "somebody" not in text
        assert "guessed-it" not in text
        assert "Signature" not in text


async def test_server_that_is_gone_is_an_error(tmp_path: Path) -> None:
    """No server at the endpoint: each operation fails in bounded time and says so."""
    with s3_server(tmp_path / "server") as server:
        await server.storage("films").replace(KEY, b"{}")
        storage = server.storage("films", timeout_s=2.0)
        server.kill()
        async with asyncio.timeout(30):
            with pytest.raises(StorageError, match="cannot be reached"):
                await storage.read(KEY)
            with pytest.raises(StorageError, match="cannot be reached"):
                await storage.unfinished(FOLDER)


def test_root_chooses_the_storage() -> None:
    """`media.root` is a folder or a bucket."""
    local = open_storage(MediaSettings(root="var/media"), {}, utc_now)
    assert isinstance(local, LocalStorage)
    bucket = open_storage(MediaSettings(root="s3://films/ad"), CREDENTIALS, utc_now)
    assert bucket.where("tracks") == "s3://films/ad/tracks"
