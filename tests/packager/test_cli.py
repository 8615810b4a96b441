"""`tell-package` as an operator starts it: exit codes, messages, and being stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
from pathlib import Path

import pytest

from media.storage import LocalStorage
from media.track import current_key, load_current
from tests.packager.program import PROGRAM, QUICK, REPOSITORY, environ, run_program
from tests.sounds import publish_short_track, write_noise, write_wav


def test_published_says_so_on_stdout(tmp_path: Path, speech: Path) -> None:
    """Exit code 0, the version on stdout, plain progress on stderr, an empty work folder."""
    root = tmp_path / "media"
    done = run_program(
        tmp_path, "add", speech, "--movie-id", "film", "--title", "The Film", "--track-offset",
        "1.5", "--media-root", root, environ=QUICK,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    version = load_current((root / current_key("film", "en")).read_bytes(), "current").version
    assert f"published film/en version {version}" in done.stdout
    assert "opus-24k" in done.stdout
    # Which quarters are told depends on how the encoder's output comes (see test_progress.py).
    assert "encode opus-24k: begins" in done.stderr.splitlines()
    assert "encode opus-24k: done in" in done.stderr
    assert "command" not in done.stderr
    assert list((tmp_path / "work").iterdir()) == []


def test_media_root_comes_from_the_settings(tmp_path: Path, speech: Path) -> None:
    """Without --media-root the storage is media.root; --verbose shows commands to paste."""
    root = tmp_path / "elsewhere"
    done = run_program(
        tmp_path, "add", speech, "--movie-id", "film", "--language", "es", "--verbose",
        environ=QUICK | {"TELL_MEDIA__ROOT": str(root)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (root / "tracks/film/es/current.json").is_file()
    assert "libopus" in done.stderr


def test_refused_source_is_3(tmp_path: Path) -> None:
    """A cut-off WAV: exit code 3, with code, place, reason and mend on stderr, nothing stored."""
    source = write_wav(tmp_path / "cut.wav", 1.0)
    source.write_bytes(source.read_bytes()[:50_000])
    done = run_program(
        tmp_path, "add", source, "--movie-id", "film", "--media-root", tmp_path / "media"
    )
    assert done.returncode == 3
    assert done.stdout == ""
    assert "error: source-truncated: cut.wav: is cut off" in done.stderr
    assert "mend: copy it again" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "media").exists()


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["--movie-id", "../film"], {}, "invalid-id"),
        (["--movie-id", "film", "--language", "e"], {}, "invalid-id"),
        (["--movie-id", "film", "--config", "absent.toml"], {}, "absent.toml: cannot be read"),
        (["--movie-id", "film"], {"TELL_PACKAGER__LADDER": '["mp3-64k"]'}, "mp3-64k"),
        (["--movie-id", "film"], {"TELL_PACKAGER__SPEED": "1"}, "there is no setting"),
        (["--movie-id", "film", "--track-offset", "nan"], {}, "--track-offset"),
        (["--movie-id", "film", "--conform", "25"], {}, "error: timing"),
        (["--movie-id", "film", "--film-starts-at", "8 s"], {}, "error: timing"),
        (["--movie-id", "film", "--accept", "anything"], {}, "error: unknown-finding"),
        (["--movie-id", "film", "--report", "absent/report.html"], {}, "--report"),
        (["--movie-id", "film"], {"TELL_MEDIA__S3__LEASE_S": "1.0"}, "media.s3.lease_s"),
        ([], {}, "--movie-id"),
    ],
)
def test_wrong_argument_or_setting_is_2(
    tmp_path: Path, speech: Path, arguments: list[str], environment: dict[str, str], said: str
) -> None:
    """A wrong argument or setting: exit code 2 and its name."""
    root = tmp_path / "media"
    done = run_program(
        tmp_path, "add", speech, *arguments, "--media-root", root, environ=environment
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_ffmpeg_is_6(tmp_path: Path, speech: Path) -> None:
    """A configured ffmpeg that is not there: exit code 6 and the key to mend."""
    done = run_program(
        tmp_path, "add", speech, "--movie-id", "film", "--media-root", tmp_path / "media",
        environ={"TELL_PACKAGER__FFMPEG": "/nowhere/ffmpeg"},
    )  # fmt: skip
    assert done.returncode == 6
    assert "packager.ffmpeg" in done.stderr


def test_storage_that_fails_is_5(tmp_path: Path, speech: Path) -> None:
    """A storage folder that is a file: exit code 5, and what to check."""
    root = tmp_path / "media"
    root.write_text("not a folder", encoding="utf-8")
    done = run_program(
        tmp_path, "add", speech, "--movie-id", "film", "--media-root", root,
        environ=QUICK,
    )  # fmt: skip
    assert done.returncode == 5
    assert "error: publish-failed" in done.stderr
    assert list((tmp_path / "work").iterdir()) == []


async def test_full_disk_is_5(tmp_path: Path, speech: Path) -> None:
    """No room for a rendition: exit code 5, the old track stays, the work folder is removed.

    A limit on file sizes stands for the full disk; to a program both are a write that fails.
    """
    root = tmp_path / "media"
    old = await publish_short_track(root, "film", seconds=6.0, ladder=("opus-24k",))
    limited = ("bash", "-c", 'ulimit -f 40; exec "$@"', "bash")
    done = await asyncio.to_thread(
        run_program,
        tmp_path,
        "add",
        speech,
        "--movie-id",
        "film",
        "--media-root",
        root,
        prefix=limited,
    )
    assert done.returncode == 5, done.stderr
    assert "error: work-folder" in done.stderr
    assert await LocalStorage(root).list("tracks/film/en") == [
        f"{old.prefix}/opus-24k.mp4",
        f"{old.prefix}/report.html",
        f"{old.prefix}/track.json",
        "tracks/film/en/current.json",
    ]
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize(
    ("how", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)],
)
async def test_stopped_while_encoding(tmp_path: Path, how: signal.Signals, code: int) -> None:
    """Stopped in any way, it leaves the old track current, no half version and no child.

    After Ctrl-C and SIGTERM its work folder is gone too.
    """
    root = tmp_path / "media"
    await publish_short_track(root, "film", seconds=6.0, ladder=("opus-24k",))
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    source = write_noise(tmp_path / "long.wav", 600)
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, "add", str(source), "--movie-id", "film", "--media-root", str(root),
        cwd=REPOSITORY,
        env=environ(tmp_path),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        async with asyncio.timeout(60):
            while b"%" not in (line := await process.stderr.readline()) or b"encode" not in line:
                assert line, "it ended before it was stopped"
        children = _children(process.pid)
        assert children
        process.send_signal(how)
        async with asyncio.timeout(20):
            await process.stderr.read()
            assert await process.wait() == code
        for child in children:
            await asyncio.to_thread(_wait_for_end, child)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    after = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    # Nobody removes the lock file of a killed run; that run does not hold it any more.
    after.pop(root / "tracks/film/en/.lock", None)
    assert after == before
    if how != signal.SIGKILL:
        assert list((tmp_path / "work").iterdir()) == []


def _children(pid: int) -> list[int]:
    """Open a pidfd for each child, which becomes readable when the child has ended."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    descriptors = []
    for child in map(int, listed):
        with contextlib.suppress(ProcessLookupError):
            descriptors.append(os.pidfd_open(child))
    return descriptors


def _wait_for_end(descriptor: int) -> None:
    try:
        ended, _, _ = select.select([descriptor], [], [], 20)
        assert ended, "a child is still running"
    finally:
        os.close(descriptor)
