"""The database is durable, strict and of a known version."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import StatementError

from amc_clone.database import Database, insert_row
from amc_clone.errors import DatabaseError
from amc_clone.schema import purchases, theaters
from tests.amc_clone.cinema import NOW
from tests.services.mariadb import MariaServer

THEATER = {"place_id": "p", "name": "P", "city": "Q", "time_zone": "UTC"}
# A release before Alembic made this, among its other tables.
OLD_TABLES = """
CREATE TABLE movies (id INTEGER NOT NULL PRIMARY KEY, movie_id VARCHAR(64) NOT NULL UNIQUE,
  title VARCHAR(200) NOT NULL, year INTEGER NOT NULL, running_time_s INTEGER NOT NULL,
  poster_path VARCHAR(255) NOT NULL, audio_description_path VARCHAR(255));
CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY);
INSERT INTO schema_version VALUES (1);
INSERT INTO movies VALUES (1, 'm', 'M', 1920, 60, '/p', NULL);
"""


async def test_a_commit_is_on_the_disk(tmp_path: Path) -> None:
    """WAL with synchronous FULL (2) and foreign keys, on each connection."""
    database = await Database.open(tmp_path / "amc.db")
    async with database.write() as connection:
        assert await connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert await connection.scalar(text("PRAGMA synchronous")) == 2
        assert await connection.scalar(text("PRAGMA foreign_keys")) == 1
    await database.close()


async def test_its_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    """It holds listen links: the database and SQLite's files beside it have mode 0600."""
    database = await Database.open(f"sqlite:///{tmp_path / 'new' / 'amc.db'}")
    files = list((tmp_path / "new").iterdir())
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert len(files) >= 2
    await database.close()


async def test_a_failed_block_leaves_nothing(empty_url: str) -> None:
    """An error inside a transaction takes back what it wrote."""
    database = await Database.open(empty_url)

    async def fail() -> None:
        async with database.write() as connection:
            await insert_row(connection, theaters, **THEATER)
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    async with database.read() as connection:
        assert (await connection.execute(select(theaters))).all() == []
    await database.close()


async def test_a_reader_sees_one_moment(empty_url: str) -> None:
    """What is committed while a read block is open does not appear in it."""
    database = await Database.open(empty_url)
    async with database.read() as connection:
        assert (await connection.execute(select(theaters))).all() == []
        async with database.write() as writer:
            assert await insert_row(writer, theaters, **THEATER) >= 1
        assert (await connection.execute(select(theaters))).all() == []
    async with database.read() as connection:
        assert len((await connection.execute(select(theaters))).all()) == 1
    await database.close()


async def test_an_error_shows_no_values(empty_url: str) -> None:
    """A refused row is told without its values: a listen_url may be among them."""
    database = await Database.open(empty_url)
    with pytest.raises(DatabaseError, match=r"(?i)foreign key") as caught:
        async with database.write() as connection:
            await connection.execute(
                insert(purchases).values(
                    purchase_id="secret", screening_id=99, purchased_at=NOW, listen_url="secret"
                )
            )
    with pytest.raises(DatabaseError) as twice:  # noqa: PT012  (the block is what is tested)
        async with database.write() as connection:
            for _ in range(2):
                await insert_row(connection, theaters, **{**THEATER, "place_id": "secret"})
    for error in (caught.value, twice.value):
        assert "secret" not in f"{error}{error.__cause__}"
    await database.close()


async def test_a_naive_datetime_is_refused(tmp_path: Path) -> None:
    """What names no instant is not stored."""
    database = await Database.open(tmp_path / "amc.db")
    naive = datetime(2027, 1, 1)  # noqa: DTZ001  (the very thing that is refused)
    with pytest.raises((DatabaseError, StatementError)):
        async with database.write() as connection:
            await connection.execute(
                insert(purchases).values(purchase_id="x", screening_id=1, purchased_at=naive)
            )
    await database.close()


async def test_a_database_of_another_version_is_refused(empty_url: str) -> None:
    """The message says what is wrong and the mend."""
    database = await Database.open(empty_url)
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await database.close()
    with pytest.raises(DatabaseError, match=r"is of another version of AMC-clone.*move it away"):
        await Database.open(empty_url)


async def test_a_database_of_an_earlier_release_goes_on(tmp_path: Path) -> None:
    """What was made before there were migrations keeps its rows and gets the rest."""
    with closing(sqlite3.connect(tmp_path / "amc.db")) as old:
        old.executescript(OLD_TABLES)
    database = await Database.open(tmp_path / "amc.db")
    async with database.read() as connection:
        assert await connection.scalar(text("SELECT title FROM movies")) == "M"
        assert (await connection.execute(select(purchases))).all() == []
    await database.close()


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Rubbish is named, and not written over."""
    path = tmp_path / "amc.db"
    path.write_bytes(b"rubbish" * 1000)
    with pytest.raises(DatabaseError, match=r"amc\.db.*not a database"):
        await Database.open(path)
    assert path.read_bytes() == b"rubbish" * 1000


@pytest.mark.parametrize("url", ["mariadb://user:hush@host", "postgresql://u:hush@h/amc", "://"])
async def test_a_url_that_cannot_be_used_is_explained(url: str) -> None:
    """The message says what to write, and shows no password."""
    with pytest.raises(DatabaseError, match="--database: ") as refused:
        await Database.open(url)
    assert "hush" not in str(refused.value)


async def test_a_missing_database_of_a_server(mariadb_server: MariaServer) -> None:
    """The message names the database."""
    with pytest.raises(DatabaseError, match="Unknown database 'nowhere'"):
        await Database.open(mariadb_server.url("nowhere"))
