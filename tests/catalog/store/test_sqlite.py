from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

import catalog
from catalog import migrations
from catalog.errors import DatabaseError
from catalog.store.database import Database
from tests.catalog.store.test_database import MAKE_LISTENER, listener_count


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """An SQLite database with its tables."""
    opened = await Database.open(f"sqlite:///{tmp_path}/tell.db")
    yield opened
    await opened.close()


async def pragma(connection: AsyncConnection, name: str) -> object:
    """Value of a pragma on that connection."""
    return (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()


async def test_every_connection_is_durable_and_checked(database: Database) -> None:
    """WAL, synchronous=FULL (2) and foreign keys hold on the writer and on all readers at once."""
    async with (
        database.write() as writer,
        database.read() as first,
        database.read() as second,
        database.read() as third,
        database.read() as fourth,
    ):
        for connection in (writer, first, second, third, fourth):
            assert await pragma(connection, "journal_mode") == "wal"
            assert await pragma(connection, "synchronous") == 2
            assert await pragma(connection, "foreign_keys") == 1


async def test_its_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    """A ticket tells of a disability: the database and SQLite's other files have mode 0600."""
    database = await Database.open(f"sqlite:///{tmp_path / 'new' / 'tell.db'}")
    files = list((tmp_path / "new").iterdir())
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert len(files) >= 2
    await database.close()


async def test_writers_are_alone(database: Database) -> None:
    """A second writer begins only when the first has ended, and so sees what it wrote."""
    second_begins = asyncio.Event()

    async def second() -> int:
        second_begins.set()
        async with database.write() as connection:
            count = await connection.scalar(text("SELECT count(*) FROM listeners"))
        return int(count or 0)

    async with database.write() as connection:
        waiting = asyncio.create_task(second())
        await second_begins.wait()
        await connection.execute(MAKE_LISTENER, {"id": "a"})
    assert await waiting == 1


async def test_another_process_may_hold_the_lock(tmp_path: Path) -> None:
    """A lock held too long is a DatabaseError; when it is gone, all is well again."""
    database = await Database.open(f"sqlite:///{tmp_path}/tell.db", busy_timeout_s=0.05)
    other = sqlite3.connect(tmp_path / "tell.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseError, match="locked"):
        async with database.write():
            pass
    assert await listener_count(database) == 0
    other.execute("ROLLBACK")
    other.close()
    async with database.write() as connection:
        await connection.execute(MAKE_LISTENER, {"id": "a"})
    await database.close()


async def test_the_folder_is_made_and_a_second_opening_keeps_all(tmp_path: Path) -> None:
    """The first opening makes the folder and the tables; the next one finds its rows."""
    url = f"sqlite:///{tmp_path}/deep/down/tell.db"
    database = await Database.open(url)
    async with database.write() as connection:
        await connection.execute(MAKE_LISTENER, {"id": "a"})
    await database.close()
    again = await Database.open(url)
    assert await listener_count(again) == 1
    await again.ping()
    await again.close()


async def test_an_undone_migration_leaves_nothing(database: Database) -> None:
    """Steps are part of the caller's transaction: a failure after them undoes them."""
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is what is tested
        async with database.write() as connection:
            await connection.run_sync(migrations.downgrade, "base")
            _ = 1 / 0
    await database.ping()
    assert await listener_count(database) == 0


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///x.db?mode=memory"])
async def test_an_sqlite_url_without_a_path_is_explained(url: str) -> None:
    """The message says what to write."""
    with pytest.raises(DatabaseError, match=r"sqlite:///var/tell\.db"):
        await Database.open(url)


async def test_a_replica_is_refused(tmp_path: Path) -> None:
    """SQLite has no replica: whoever names one is told so, and not read from the file instead."""
    with pytest.raises(DatabaseError, match=r"database\.replica_url: SQLite has no replica"):
        await Database.open(f"sqlite:///{tmp_path}/tell.db", "mariadb://tell@localhost/tell")
    assert list(tmp_path.iterdir()) == []


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Anything else under that name is left as it is."""
    path = tmp_path / "tell.db"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(DatabaseError, match="not a database"):
        await Database.open(f"sqlite:///{path}")
    assert path.read_bytes().startswith(b"not a database")


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file in the way of the folder is named."""
    (tmp_path / "var").write_text("")
    with pytest.raises(DatabaseError, match="var"):
        await Database.open(f"sqlite:///{tmp_path}/var/tell.db")


def test_an_installed_copy_migrates_too(tmp_path: Path) -> None:
    """The package alone, away from the checkout and under another folder, makes the tables."""
    package = tmp_path / "site 100%" / "catalog"
    shutil.copytree(
        Path(catalog.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )
    script = (
        "import asyncio, sys; sys.path.insert(0, sys.argv[1])\n"
        "from catalog.store.database import Database\n"
        "import catalog; assert catalog.__file__.startswith(sys.argv[1])\n"
        "async def main():\n"
        "    database = await Database.open('sqlite:///' + sys.argv[2])\n"
        "    await database.ping()\n"
        "    await database.close()\n"
        "asyncio.run(main())\n"
    )
    subprocess.run(
        [sys.executable, "-I", "-c", script, str(package.parent), str(tmp_path / "tell.db")],
        check=True,
        timeout=60,
    )
