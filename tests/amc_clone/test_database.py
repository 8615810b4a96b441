"""The database is durable, strict and of a known version."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import StatementError

from amc_clone.database import Database, insert_row
from amc_clone.errors import DatabaseError
from amc_clone.schema import movies, purchases, schema_version, theaters
from tests.amc_clone.cinema import NOW

THEATER = {"place_id": "p", "name": "P", "city": "Q", "time_zone": "UTC"}


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
    database = await Database.open(tmp_path / "new" / "amc.db")
    files = list((tmp_path / "new").iterdir())
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert len(files) >= 2
    await database.close()


async def test_a_failed_block_leaves_nothing(tmp_path: Path) -> None:
    """An error inside a transaction takes back what it wrote."""
    database = await Database.open(tmp_path / "amc.db")

    async def fail() -> None:
        async with database.write() as connection:
            await insert_row(connection, theaters, **THEATER)
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    async with database.read() as connection:
        assert (await connection.execute(select(theaters))).all() == []
    await database.close()


async def test_an_error_shows_no_values(tmp_path: Path) -> None:
    """A refused row is told without its values: a listen_url may be among them."""
    database = await Database.open(tmp_path / "amc.db")
    with pytest.raises(DatabaseError, match="FOREIGN KEY") as caught:
        async with database.write() as connection:
            await connection.execute(
                insert(purchases).values(
                    purchase_id="secret", screening_id=99, purchased_at=NOW, listen_url="secret"
                )
            )
    assert "secret" not in str(caught.value)
    await database.close()


async def test_a_naive_datetime_is_refused(tmp_path: Path) -> None:
    """What names no instant is not stored."""
    database = await Database.open(tmp_path / "amc.db")
    naive = datetime(2027, 1, 1)  # noqa: DTZ001  (the very thing that is refused)
    with pytest.raises((DatabaseError, StatementError), match="time zone"):
        async with database.write() as connection:
            await connection.execute(
                insert(purchases).values(purchase_id="x", screening_id=1, purchased_at=naive)
            )
    await database.close()


async def test_a_database_of_another_version_is_refused(tmp_path: Path) -> None:
    """The message names the file and the mend."""
    path = tmp_path / "amc.db"
    database = await Database.open(path)
    async with database.write() as connection:
        await connection.execute(update(schema_version).values(version=99))
    await database.close()
    with pytest.raises(DatabaseError, match=r"amc\.db has schema version 99"):
        await Database.open(path)


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Rubbish is named, and not written over."""
    path = tmp_path / "amc.db"
    path.write_bytes(b"rubbish" * 1000)
    with pytest.raises(DatabaseError, match="not a database"):
        await Database.open(path)
    assert path.read_bytes() == b"rubbish" * 1000


def test_only_types_that_mysql_has() -> None:
    """Every string column has a length, so that the schema can move."""
    for table in movies.metadata.sorted_tables:
        for column in table.c:
            kind = type(column.type).__name__
            assert kind in {"BigInteger", "Integer", "String", "Text", "Instant"}, column
            if kind == "String":
                assert column.type.length, column  # type: ignore[attr-defined]  # of String
