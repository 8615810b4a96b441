"""Notes beside finished files, which a second run believes."""

from __future__ import annotations

from pathlib import Path

import pytest

from packager.encoding.finished import (
    done_result,
    finished_names,
    is_done,
    remove_unfinished,
    write_done,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A finished file with its note."""
    path = tmp_path / "aac-64k.mp4"
    path.write_bytes(b"sound")
    write_done(path, "key", "result")
    return path


def test_finished_file_is_known_again(file: Path) -> None:
    """The same key finds the file done, with what was found out about it."""
    assert is_done(file, "key")
    assert done_result(file, "key") == "result"
    assert finished_names(file.parent) == ["aac-64k.mp4"]


def test_other_origin_is_not_done(file: Path) -> None:
    """Another sound, or other settings, mean another file."""
    assert not is_done(file, "other")


def test_changed_or_missing_file_is_not_done(file: Path) -> None:
    """A note vouches for the bytes that it was written for, and for no others."""
    file.write_bytes(b"sounD")
    assert not is_done(file, "key")
    file.unlink()
    assert not is_done(file, "key")


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b'{"key": "key"}', b"\xff"])
def test_damaged_note_is_no_note(file: Path, note: bytes) -> None:
    """Whatever stands there, the file is made again instead of a failure."""
    file.with_name("aac-64k.mp4.done").write_bytes(note)
    assert not is_done(file, "key")


def test_removing_takes_the_note_too(file: Path) -> None:
    """Nothing is left that could vouch for what is made next; removing nothing is no error."""
    remove_unfinished(file)
    assert list(file.parent.iterdir()) == []
    remove_unfinished(file)
