"""Looking at what is published, going back, withdrawing, sweeping: the commands beside `add`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from media.library import Library
from media.storage import LocalStorage
from media.track import Track, current_key, load_current
from tests.packager.program import run_program
from tests.sounds import publish_short_track

QUICK = ("opus-24k",)
# The tests' tracks were published long before the day on which the tests run.
KEEP_ALL = {
    "TELL_PACKAGER__GC__KEEP_VERSIONS": "0",
    "TELL_PACKAGER__GC__LISTENING_DAYS": "36500.0",
}
KEEP_NOTHING = {
    "TELL_PACKAGER__GC__KEEP_VERSIONS": "0",
    "TELL_PACKAGER__GC__LISTENING_DAYS": "0.0",
}


class Shelf:
    """A storage with two versions of a film, the second one current."""

    def __init__(self, folder: Path, old: Track, new: Track) -> None:
        self.folder = folder
        self.root = folder / "media"
        self.old = old
        self.new = new

    def run(self, *arguments: str, code: int = 0, environ: Mapping[str, str] | None = None) -> str:
        """Stdout of a command that must end with *code*."""
        done = run_program(
            self.folder, *arguments, "--media-root", self.root, environ=dict(environ or {})
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def json(self, *arguments: str, code: int = 0, environ: Mapping[str, str] | None = None) -> Any:
        """The one object that `--json` prints."""
        return json.loads(self.run(*arguments, "--json", code=code, environ=environ))

    def current(self) -> str | None:
        """The current version."""
        key = current_key("film", "en")
        return load_current((self.root / key).read_bytes(), key).version


@pytest.fixture
async def shelf(tmp_path: Path) -> Shelf:
    """Two versions."""
    old = await publish_short_track(tmp_path / "media", "film", seconds=6.0, ladder=QUICK)
    new = await publish_short_track(tmp_path / "media", "film", seconds=6.0, ladder=QUICK, seed=2)
    return Shelf(tmp_path, old, new)


async def test_from_list_to_rollback_to_withdrawal(shelf: Shelf) -> None:
    """The whole life of a track by its commands, for people and for machines."""

    def story() -> None:
        listed = shelf.run("list").splitlines()
        assert len(listed) == 2
        assert all(word in listed[1] for word in ("film", "en", "published", shelf.new.version))
        (entry,) = shelf.json("list")["tracks"]
        assert entry["state"] == "published"
        assert entry["current"]["earlier"][0]["version"] == shelf.old.version
        assert [r["name"] for r in entry["track"]["renditions"]] == ["opus-24k"]

        shown = shelf.run("show", "film")
        assert f"version   {shelf.new.version}" in shown
        assert f"earlier   {shelf.old.version} until 2026-01-05 09:00:00+00:00" in shown

        assert f"is at version {shelf.old.version}" in shelf.run("rollback", "film")
        assert shelf.current() == shelf.old.version
        # The one that it came from is the earlier one now, and can be gone back to by name.
        back = shelf.json("rollback", "film", "--to", shelf.new.version)
        assert back["before"] == shelf.old.version
        assert shelf.current() == shelf.new.version

        withdrawn = shelf.run("withdraw", "film")
        assert f"rollback film --language en --to {shelf.new.version}" in withdrawn
        assert shelf.current() is None
        assert shelf.json("show", "film")["state"] == "withdrawn"

    await asyncio.to_thread(story)
    library = Library(LocalStorage(shelf.root))
    assert await library.languages("film") == []
    # Who listens finishes on the version that she is on.
    assert await library.track("film", "en", shelf.new.version) == shelf.new


async def test_what_is_not_there_is_8(shelf: Shelf) -> None:
    """A film, language or version that is not there: its own exit code, as JSON too."""

    def ask() -> None:
        answer = shelf.json("show", "other", code=8)
        assert answer["error"]["code"] == "not-published"
        assert answer["exit_code"] == 8
        shelf.run("rollback", "film", "--language", "es", code=8)
        shelf.run("rollback", "film", "--to", "0" * 16, code=8)
        shelf.run("verify", "other", code=8)

    await asyncio.to_thread(ask)
    assert shelf.current() == shelf.new.version
    assert not (shelf.root / "tracks/other").exists()


async def test_rollback_to_a_damaged_version_is_refused(shelf: Shelf) -> None:
    """A version is read and hashed before it is made current: exit code 4."""
    file = shelf.root / shelf.old.prefix / "opus-24k.mp4"
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    answer = await asyncio.to_thread(shelf.json, "rollback", "film", code=4)
    assert answer["error"]["code"] == "version-damaged"
    assert shelf.current() == shelf.new.version


async def test_verify_names_bit_rot(shelf: Shelf) -> None:
    """A right track is said to be right; one flipped bit is found and its file named."""
    assert "film/en" in await asyncio.to_thread(shelf.run, "verify")
    file = shelf.root / shelf.new.prefix / "opus-24k.mp4"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    answer = await asyncio.to_thread(shelf.json, "verify", "film", code=4)
    assert any("opus-24k" in problem["where"] for problem in answer["problems"])


async def test_gc_keeps_what_listeners_may_be_on(shelf: Shelf) -> None:
    """Within the configured days nothing goes, whatever the number; after them it does."""
    assert (await asyncio.to_thread(lambda: shelf.json("gc", environ=KEEP_ALL)))["removed"] == []
    dry = await asyncio.to_thread(lambda: shelf.run("gc", "--dry-run", environ=KEEP_NOTHING))
    assert "old version" in dry
    assert (shelf.root / shelf.old.prefix / "track.json").is_file()
    swept = await asyncio.to_thread(lambda: shelf.run("gc", environ=KEEP_NOTHING))
    assert swept.replace("removed", "would be removed") == dry
    assert not (shelf.root / shelf.old.prefix).exists()
    assert (await asyncio.to_thread(shelf.json, "show", "film"))["current"]["earlier"] == []


async def test_gc_removes_staged_parts_and_versions_never_made_current(shelf: Shelf) -> None:
    """What killed runs left in the storage goes, and what is foreign stays."""
    folder = shelf.root / "tracks/film/en"
    never = folder / ("ab" * 8)
    never.mkdir()
    (never / "aac-64k.mp4").write_bytes(b"x" * 1000)
    (shelf.root / shelf.new.prefix / ".aac-64k.mp4.0badf00d.part").write_bytes(b"x")
    (folder / ("cd" * 8)).mkdir()
    (folder / ("cd" * 8) / ".track.json.0badf00d.part").write_bytes(b"x")
    (folder / "notes").mkdir()
    (folder / "notes" / "by-hand.txt").write_bytes(b"keep")
    answer = await asyncio.to_thread(lambda: shelf.json("gc", environ=KEEP_ALL))
    assert sorted(each["kind"] for each in answer["removed"]) == [
        "unfinished upload",
        "unfinished upload",
        "version never made current",
    ]
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert left == {
        "current.json",
        "notes/by-hand.txt",
        *(
            f"{track.version}/{name}"
            for track in (shelf.old, shelf.new)
            for name in ("opus-24k.mp4", "report.html", "track.json")
        ),
    }


async def test_two_runs_on_a_track_exclude_each_other(shelf: Shelf) -> None:
    """While one run holds a track, others end with 7 and gc passes it over."""
    storage = LocalStorage(shelf.root)
    async with storage.lock("tracks/film/en", "process 1 on elsewhere"):
        answer = await asyncio.to_thread(shelf.json, "withdraw", "film", code=7)
        swept = await asyncio.to_thread(lambda: shelf.json("gc", environ=KEEP_NOTHING))
    assert answer["error"]["code"] == "track-busy"
    assert "process 1 on elsewhere" in answer["error"]["what"]
    assert "film/en" in swept["passed_over"][0]
    assert shelf.current() == shelf.new.version
    assert (shelf.root / shelf.old.prefix / "track.json").is_file()


async def test_lint_of_a_version_folder(shelf: Shelf) -> None:
    """What we publish keeps every rule; a folder without a track cannot be linted."""

    def lint() -> None:
        right = run_program(shelf.folder, "lint", shelf.root / shelf.new.prefix)
        assert right.returncode == 0, right.stdout + right.stderr
        assert run_program(shelf.folder, "lint", shelf.folder / "work").returncode == 8

    await asyncio.to_thread(lint)
