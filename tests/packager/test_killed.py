"""kill -9 at any moment of a packaging: the old track plays on, and the next run ends right."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import json
import random
import shutil
import time
from pathlib import Path

from media.grid import SAMPLE_RATE_HZ
from media.track import Track, current_key, load_current, load_track
from tests.packager.program import PROGRAM, REPOSITORY, environ, run_program
from tests.sounds import decode_samples, publish_short_track, write_wav

MOMENTS = 20
LADDER = {"TELL_PACKAGER__LADDER": '["aac-64k", "opus-24k"]'}
POINTER = current_key("film", "en")


async def test_killed_at_twenty_moments(tmp_path: Path) -> None:
    """The old version is whole and playable after each; the rerun publishes; gc leaves no debris.

    The moments are spread over the time that an undisturbed run takes, at random within each
    twentieth. Every second run begins anew; the others go on from what killed ones have finished.
    """
    root = tmp_path / "media"
    old = await publish_short_track(root, "film", seconds=6.0, ladder=("aac-64k",))
    pointer = (root / POINTER).read_bytes()
    source = write_wav(tmp_path / "new.wav", 6.0, seed=2)
    began = time.monotonic()
    assert await _package(tmp_path, source, tmp_path / "elsewhere", None) == 0
    takes_s = time.monotonic() - began

    chance = random.Random(20)  # noqa: S311  # not a secret: the same moments each time
    killed = 0
    for number in itertools.count():
        if killed == MOMENTS:
            break
        # The machine may be quicker by now, and what goes on has less to do: some come to an end.
        assert number < 4 * MOMENTS, f"only {killed} were killed"
        if killed % 2:
            shutil.rmtree(tmp_path / "work")
            (tmp_path / "work").mkdir()
        moment_s = takes_s * (killed + chance.random()) / (MOMENTS + number - killed)
        killed += await _package(tmp_path, source, root, moment_s) == -9
        current = load_current((root / POINTER).read_bytes(), POINTER)
        assert current.version is not None
        playing = _load(root, current.version)
        _is_whole(root, playing)
        _is_whole(root, old)
        # One that was killed after the switch, or came to its end: once more from the old version.
        (root / POINTER).write_bytes(pointer)

    for said in (b"publish: begins", b"publish: 50 %"):
        await _kill_at(said, await _start(tmp_path, source, root, **LADDER))
        _is_whole(root, old)
        current = load_current((root / POINTER).read_bytes(), POINTER)
        assert current.version is not None
        _is_whole(root, _load(root, current.version))
        (root / POINTER).write_bytes(pointer)

    assert await _package(tmp_path, source, root, None) == 0
    new = load_current((root / POINTER).read_bytes(), POINTER)
    assert new.version is not None
    assert new.version != old.version
    _is_whole(root, _load(root, new.version))

    # What a killed run left, also where none follows it.
    await _kill_at(
        b"verify", await _start(tmp_path, write_wav(source, 6.0, seed=3), root, **LADDER)
    )
    swept = await asyncio.to_thread(
        run_program, tmp_path, "gc", "--media-root", root, "--json", environ=LADDER
    )
    assert swept.returncode == 0, swept.stderr
    assert json.loads(swept.stdout)["passed_over"] == []
    versions = {old.version: ["aac-64k"], new.version: ["aac-64k", "opus-24k"]}
    expected = {POINTER}
    for version, names in versions.items():
        folder = f"tracks/film/en/{version}"
        expected |= {f"{folder}/{name}.mp4" for name in names}
        expected |= {f"{folder}/track.json", f"{folder}/report.html"}
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert found == expected
    assert list((tmp_path / "work").iterdir()) == []


async def test_finished_renditions_are_not_encoded_again(tmp_path: Path) -> None:
    """A run that is killed while it encodes leaves what it finished; the next one takes it over."""
    root = tmp_path / "media"
    source = write_wav(tmp_path / "new.wav", 20.0)
    slow_last = {
        "TELL_PACKAGER__LADDER": '["opus-24k", "aac-256k"]',
        "TELL_PACKAGER__PROCESSES": "1",
    }
    await _kill_at(b"verify opus-24k: done", await _start(tmp_path, source, root, **slow_last))
    again = await asyncio.to_thread(
        run_program, tmp_path, "add", source, "--movie-id", "film", "--media-root", root,
        environ=slow_last,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert "encode opus-24k" not in again.stderr
    assert "verify opus-24k" not in again.stderr
    assert list((tmp_path / "work").iterdir()) == []


async def _package(tmp_path: Path, source: Path, root: Path, killed_after_s: float | None) -> int:
    """Exit code of a packaging that is killed after that time, where it has not ended before."""
    process = await _start(tmp_path, source, root, **LADDER)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(killed_after_s):
                await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    assert process.returncode is not None
    return process.returncode


async def _kill_at(said: bytes, process: asyncio.subprocess.Process) -> None:
    """Kill it once a line of its progress begins so."""
    assert process.stderr is not None
    async with asyncio.timeout(120):
        while not (line := await process.stderr.readline()).startswith(said):
            assert line, "it ended before it was killed"
    process.kill()
    await process.wait()


async def _start(
    tmp_path: Path, source: Path, root: Path, **more: str
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *PROGRAM, "add", str(source), "--movie-id", "film", "--media-root", str(root),
        cwd=REPOSITORY,
        env=environ(tmp_path, **more),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


def _load(root: Path, version: str) -> Track:
    key = f"tracks/film/en/{version}/track.json"
    return load_track((root / key).read_bytes(), key)


def _is_whole(root: Path, track: Track) -> None:
    """Every file has its digest, and the first decodes to its length."""
    for rendition in track.renditions:
        content = (root / track.prefix / rendition.file_name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == rendition.sha256
    decoded = decode_samples(root / track.prefix / track.renditions[0].file_name)
    assert len(decoded) / SAMPLE_RATE_HZ == track.duration_s
