"""A storage that is full, gone or replaced in the middle: clear codes, the old track unchanged."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from media.errors import StorageError
from media.s3 import S3Storage
from media.storage import LocalStorage
from media.track import current_key, load_current, load_track
from packager.errors import PublishError
from packager.ffmpeg import Tools
from packager.pipeline import TrackOrder, add_track
from packager.publishing.digests import stored_sha256
from packager.settings import PackagerSection
from tests.packager.program import PROGRAM, REPOSITORY, environ, run_program
from tests.services.s3 import S3Server, s3_server
from tests.sounds import publish_short_track, published_at, write_wav

LADDER = {"TELL_PACKAGER__LADDER": '["opus-24k", "aac-128k"]'}


async def test_disk_full_while_staging(tmp_path: Path, speech: Path) -> None:
    """No room in the storage: exit code 5, the old version whole, nothing of the new one there."""
    if not _may_mount():
        pytest.skip("this system lets nobody mount a small disk for the test (unshare --map-root)")
    root = tmp_path / "media"
    old = await publish_short_track(root, "film", seconds=6.0, ladder=("opus-24k",))
    before = _files(root)
    disk, result = tmp_path / "disk", tmp_path / "result"
    disk.mkdir()
    add = shlex.join([*PROGRAM, "add", str(speech), "--movie-id", "film", "--json"])
    # A disk of 150 kB in a namespace of its own; what is on it in the end is copied out.
    script = (
        f"mount -t tmpfs -o size=150k none {disk} && cp -r {root}/. {disk} || exit 99; "
        f"{add} --media-root {disk}; code=$?; cp -r {disk}/. {result} || exit 98; exit $code"
    )
    result.mkdir()
    done = await asyncio.to_thread(
        subprocess.run,
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script],
        cwd=REPOSITORY,
        env=environ(tmp_path, **LADDER),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 5, done.stderr
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "publish-failed"
    assert "No space left on device" in error["what"]
    assert _files(result) == before
    assert old.version in str(sorted(before))


async def test_folder_that_goes_away_in_the_middle(
    tmp_path: Path, speech: Path, tools: Tools
) -> None:
    """A disk that is unmounted while we publish: nothing is made current in its place."""
    root, away = tmp_path / "media", tmp_path / "away"
    await publish_short_track(root, "film", seconds=6.0, ladder=("opus-24k",))
    before = _files(root)

    class Unmounting(LocalStorage):
        async def size(self, key: str) -> int:
            # The first look at the new version, when its lock was checked already.
            if not away.exists():
                root.rename(away)
            return await super().size(key)

    order = TrackOrder(speech, "film", "en", "Film")
    settings = PackagerSection(ladder=["opus-24k"], work_dir=str(tmp_path))
    with pytest.raises(PublishError) as caught:
        await add_track(order, Unmounting(root), tools, settings, clock=published_at)
    assert "removed or replaced" in caught.value.what
    assert _files(root) == {}
    left = _files(away)
    # The lock of a disk that is gone cannot be taken away; nobody holds it any more.
    left.pop("tracks/film/en/.lock", None)
    assert left == before


def test_folder_that_is_gone_before_publishing(tmp_path: Path) -> None:
    """The same, seen by the program: exit code 5, and what to check."""
    root, away = tmp_path / "media", tmp_path / "away"
    source = write_wav(tmp_path / "new.wav", 20.0)
    process = subprocess.Popen(
        [*PROGRAM, "add", str(source), "--movie-id", "film", "--media-root", str(root)],
        cwd=REPOSITORY,
        env=environ(tmp_path, **LADDER),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process:
        for line in process.stderr:
            if line.startswith("check source"):
                root.rename(away)
                break
        said = process.stderr.read()
    assert process.returncode == 5, said
    assert "removed or replaced" in said
    assert not root.exists()


@pytest.mark.xdist_group("s3")
async def test_s3_server_dies_in_the_middle_of_an_upload(tmp_path: Path, speech: Path) -> None:
    """Exit code 5; when the server is back the old version is current and whole, and a rerun works.

    The server is frozen while the sound is encoded, so that the upload has begun when it is killed.
    """
    data = tmp_path / "server"
    with s3_server(data) as server:
        first = await asyncio.to_thread(
            _add_to_bucket, tmp_path, write_wav(tmp_path / "old.wav", 6.0, seed=2), server
        )
        assert first.returncode == 0, first.stderr
        old = json.loads(first.stdout)["published"]["version"]
        process = await asyncio.create_subprocess_exec(
            *PROGRAM, "add", str(speech), "--movie-id", "film", "--media-root", "s3://films/ad",
            cwd=REPOSITORY,
            env=environ(tmp_path, **server.environ(**LADDER, TELL_MEDIA__S3__TIMEOUT_S="3.0")),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stderr is not None
        said = b""
        try:
            async with asyncio.timeout(60):
                async for line in process.stderr:
                    said += line
                    if line.startswith(b"check source: begins"):
                        server.process.send_signal(signal.SIGSTOP)
                    if line.startswith(b"publish: begins"):
                        server.kill()
                assert await process.wait() == 5, said
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert b"error: publish-failed: s3://films/ad/tracks/film/en" in said
    with s3_server(data) as server:
        storage = server.storage("films", "ad")
        key = current_key("film", "en")
        assert load_current(await _read_when_back(storage, key), key).version == old
        prefix = f"tracks/film/en/{old}"
        track = load_track(await storage.read(f"{prefix}/track.json"), prefix)
        for rendition in track.renditions:
            found = await stored_sha256(storage, f"{prefix}/{rendition.file_name}")
            assert found == rendition.sha256
        # The lock of a run that could not give it back ends by itself; here nobody waits for it.
        lock = "tracks/film/en/lock.json"
        await storage.delete(lock)
        again = await asyncio.to_thread(_add_to_bucket, tmp_path, speech, server)
        assert again.returncode == 0, again.stderr
        assert json.loads(again.stdout)["before"] == old
        # The first run's finished renditions were still there.
        assert "encode" not in again.stderr


async def _read_when_back(storage: S3Storage, key: str) -> bytes:
    """An object, as soon as the server has its data again: it answers before that."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(StorageError):
                return await storage.read(key)


@pytest.mark.xdist_group("s3")
async def test_two_runs_on_a_bucket_exclude_each_other(tmp_path: Path, speech: Path) -> None:
    """On two machines, which share the bucket and nothing else: one publishes, one ends with 7.

    The first one stands still, with the lock, while the second one comes.
    """
    with s3_server(tmp_path / "server") as server:
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
        first = await asyncio.create_subprocess_exec(
            *PROGRAM, "add", str(speech), "--movie-id", "film", "--media-root", "s3://films/ad",
            cwd=REPOSITORY,
            env=environ(tmp_path / "one", **server.environ(**LADDER)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert first.stderr is not None
        try:
            async with asyncio.timeout(120):
                while not (line := await first.stderr.readline()).startswith(b"check source"):
                    assert line, "it ended before it began"
                first.send_signal(signal.SIGSTOP)
                busy = await asyncio.to_thread(_add_to_bucket, tmp_path / "two", speech, server)
                first.send_signal(signal.SIGCONT)
                said = await first.stderr.read()
                assert await first.wait() == 0, said
        finally:
            if first.returncode is None:
                first.kill()
                await first.wait()
        assert busy.returncode == 7, busy.stderr
        assert json.loads(busy.stdout)["error"]["code"] == "track-busy"
        storage = server.storage("films", "ad")
        versions = await storage.folders("tracks/film/en")
        assert len(versions) == 1
        report = await storage.read(f"tracks/film/en/{versions[0]}/report.html")
        assert report.startswith(b"<!doctype html>")


def _add_to_bucket(
    folder: Path, source: Path, server: S3Server
) -> subprocess.CompletedProcess[str]:
    return run_program(
        folder, "add", source, "--movie-id", "film", "--media-root", "s3://films/ad", "--json",
        environ=server.environ(**LADDER),
    )  # fmt: skip


def _files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def _may_mount() -> bool:
    unshare = shutil.which("unshare")
    if unshare is None:
        return False
    command = [unshare, "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
