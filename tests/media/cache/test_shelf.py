"""The cache's folder: bounded, shared by processes, and without what dead writers left."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from media.cache.shelf import IN_USE_S, NoPart, Part, Shelf
from tests.media.cache.world import Clock

_WRITER = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from media.cache.shelf import Part, Shelf
shelf = Shelf(Path(sys.argv[1]), 1000, lambda: datetime(2027, 3, 5, tzinfo=UTC))
print(isinstance(shelf.reserve("film", 600), Part), flush=True)
sys.stdin.read()
"""


def kept(shelf: Shelf, name: str, data: bytes) -> None:
    """Write a file in."""
    part = shelf.reserve(name, len(data))
    assert isinstance(part, Part), part
    os.pwrite(part.descriptor, data, 0)
    shelf.keep(part)
    os.close(part.descriptor)


def opened(folder: Path, limit_bytes: int, clock: Clock) -> tuple[Shelf, list[str]]:
    """A shelf, and the names of what it removes for others."""
    evicted: list[str] = []
    shelf = Shelf(folder, limit_bytes, clock, evicted.append)
    shelf.prepare()
    return shelf, evicted


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    """A use counts as much as the writing, and a restart forgets neither."""
    clock = Clock()
    shelf, _ = opened(tmp_path / "cache", 1000, clock)
    for name in ("a", "b", "c"):
        kept(shelf, name, bytes(300))
        clock.advance(1)
    shelf.use("a")
    clock.advance(IN_USE_S + 1)
    again, evicted = opened(tmp_path / "cache", 1000, clock)
    kept(again, "d", bytes(300))
    assert evicted == ["b"]
    assert again.used_bytes() == 900


def test_what_is_in_use_is_not_removed(tmp_path: Path) -> None:
    """Where the rest is too little nothing goes, and the new file has to wait."""
    clock = Clock()
    shelf, evicted = opened(tmp_path, 1000, clock)
    kept(shelf, "old", bytes(300))
    clock.advance(IN_USE_S + 1)
    kept(shelf, "used", bytes(600))
    assert shelf.reserve("new", 600) is NoPart.FULL
    assert shelf.reserve("huge", 2000) is NoPart.FULL
    assert evicted == []
    assert shelf.path("old").exists()
    clock.advance(IN_USE_S + 1)
    kept(shelf, "new", bytes(600))
    assert evicted == ["old", "used"]


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    """A part has another name, takes its room at once, and can be given up."""
    shelf, _ = opened(tmp_path, 1000, Clock())
    part = shelf.reserve("film", 400)
    assert isinstance(part, Part)
    assert not shelf.path("film").exists()
    assert shelf.used_bytes() == 400
    assert shelf.reserve("film", 400) is NoPart.BUSY
    assert shelf.reserve("other", 700) is NoPart.FULL
    shelf.drop(part)
    os.close(part.descriptor)
    assert shelf.used_bytes() == 0
    kept(shelf, "film", b"x")
    assert shelf.reserve("film", 1) is NoPart.KEPT


async def test_a_living_writer_is_left_alone_and_a_killed_one_leaves_nothing(
    tmp_path: Path,
) -> None:
    """Two processes never fetch the same file; kill -9 frees its name and its room."""
    shelf, _ = opened(tmp_path, 1000, Clock())
    writer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _WRITER, str(tmp_path)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert writer.stdout is not None
    assert await writer.stdout.readline() == b"True\n"
    shelf.prepare()
    assert shelf.reserve("film", 600) is NoPart.BUSY
    assert shelf.reserve("other", 600) is NoPart.FULL
    writer.kill()
    await writer.wait()
    kept(shelf, "other", bytes(600))
    assert [path.name for path in tmp_path.iterdir() if path.name != ".lock"] == ["other"]


def test_a_document_that_was_damaged_is_none(tmp_path: Path) -> None:
    """It is read as it was written, replaced as a whole, and removed where a byte has changed."""
    shelf, _ = opened(tmp_path, 1000, Clock())
    assert shelf.read_document("track.json") is None
    for text in (b"one", b"two"):
        shelf.write_document("track.json", text)
        assert shelf.read_document("track.json") == text
    path = shelf.path("track.json")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert shelf.read_document("track.json") is None
    assert not path.exists()


def test_a_full_disk_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    """On a disk of 200 kB there is no room for 300: nothing is left of the attempt."""
    disk = tmp_path / "disk"
    disk.mkdir()
    code = (
        "from datetime import UTC, datetime\n"
        "from pathlib import Path\n"
        "from media.cache.shelf import Shelf\n"
        f"shelf = Shelf(Path({str(disk)!r}), 10**9, lambda: datetime(2027, 3, 5, tzinfo=UTC))\n"
        "print(shelf.reserve('film', 300_000).name, shelf.used_bytes())\n"
    )
    mount = f"mount -t tmpfs -o size=200k none {disk} || exit 99"
    script = f"{mount}; {sys.executable} -c {shlex.quote(code)}"
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode == 99 or "unshare:" in done.stderr:
        pytest.skip("this system lets nobody mount a small disk for the test (unshare --map-root)")
    assert done.stdout == "NO_SPACE 0\n", done.stderr
