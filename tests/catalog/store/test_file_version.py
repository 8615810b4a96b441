"""Whether a file was written to: told by real SQLite, of real commits."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from catalog.store.file_version import FileVersion


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody else who writes to the file, which is in WAL mode."""
    with closing(sqlite3.connect(tmp_path / "tell.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE things (name TEXT)")
        yield connection


@pytest.fixture
def version(tmp_path: Path, writer: sqlite3.Connection) -> Iterator[FileVersion]:
    """Looks at that file."""
    looked = FileVersion(tmp_path / "tell.db")
    yield looked
    looked.close()


def add(writer: sqlite3.Connection) -> None:
    """One commit."""
    writer.execute("INSERT INTO things VALUES ('one')")


def test_it_is_another_number_after_each_commit_and_no_other_time(
    version: FileVersion, writer: sqlite3.Connection
) -> None:
    """Not while a transaction is open, nor after one that was given up."""
    seen = [version.read()]
    assert version.read() == seen[0]
    for _ in range(3):
        writer.execute("BEGIN IMMEDIATE")
        add(writer)
        assert version.read() == seen[-1]
        writer.execute("COMMIT")
        seen.append(version.read())
    writer.execute("BEGIN IMMEDIATE")
    add(writer)
    writer.execute("ROLLBACK")
    assert version.read() == seen[-1]
    assert None not in seen
    assert len(set(seen)) == 4


def test_what_was_written_is_seen_by_who_reads_after_it(
    version: FileVersion, writer: sqlite3.Connection, tmp_path: Path
) -> None:
    """The order on which all of it rests: first the number, then the query."""
    with closing(sqlite3.connect(tmp_path / "tell.db", isolation_level=None)) as reader:
        for count in range(1, 4):
            add(writer)
            before = version.read()
            (found,) = reader.execute("SELECT count(*) FROM things").fetchone()
            assert found == count
            assert version.read() == before


def test_a_file_that_somebody_has_alone_tells_nothing_and_is_waited_for_by_nobody(
    version: FileVersion, writer: sqlite3.Connection, tmp_path: Path
) -> None:
    """Then it must be asked; and afterwards no number of before comes again."""
    before = version.read()
    version.close()
    writer.close()
    with closing(sqlite3.connect(tmp_path / "tell.db", isolation_level=None)) as owner:
        owner.execute("PRAGMA locking_mode=EXCLUSIVE")
        owner.execute("INSERT INTO things VALUES ('alone')")
        assert version.read() is None
    after = version.read()
    assert after is not None
    assert after != before
    assert version.read() == after


def test_a_file_that_is_not_there_tells_nothing_and_is_not_made(tmp_path: Path) -> None:
    """It is the database that makes it."""
    missing = tmp_path / "missing.db"
    assert FileVersion(missing).read() is None
    assert not missing.exists()
