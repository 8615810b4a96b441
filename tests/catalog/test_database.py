from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

import catalog
from catalog.database import Database
from catalog.errors import DatabaseError

MAKE_LISTENER = text("INSERT INTO listeners (id, created_at) VALUES (:id, 0)")


async def pragma(connection: AsyncConnection, name: str) -> object:
    """Value of a pragma on that connection."""
    return (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()


async def listener_count(database: Database) -> int:
    """Committed rows of the listeners table."""
    async with database.read() as connection:
        count = (await connection.execute(text("SELECT count(*) FROM listeners"))).scalar_one()
    return int(count)


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


async def test_a_reader_cannot_write(database: Database) -> None:
    """A statement that changes something fails on a read connection."""
    with pytest.raises(DatabaseError, match="readonly"):
        async with database.read() as connection:
            await connection.execute(MAKE_LISTENER, {"id": "a"})


async def test_a_failed_block_changes_nothing(database: Database) -> None:
    """What was written before an error in the block is undone, and the next write works."""
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is what is tested
        async with database.write() as connection:
            await connection.execute(MAKE_LISTENER, {"id": "a"})
            _ = 1 / 0
    assert await listener_count(database) == 0
    async with database.write() as connection:
        await connection.execute(MAKE_LISTENER, {"id": "a"})
    assert await listener_count(database) == 1


async def test_readers_do_not_wait_for_the_writer(database: Database) -> None:
    """A read answers while a write transaction is open, with what was committed before."""
    async with asyncio.timeout(20), database.write() as writer:
        await writer.execute(MAKE_LISTENER, {"id": "a"})
        assert await listener_count(database) == 0
    assert await listener_count(database) == 1


async def test_writers_follow_each_other(database: Database) -> None:
    """Many tasks that write at once all succeed, one after the other."""

    async def write(number: int) -> None:
        async with database.write() as connection:
            await connection.execute(MAKE_LISTENER, {"id": str(number)})

    await asyncio.gather(*(write(number) for number in range(30)))
    assert await listener_count(database) == 30


async def test_foreign_keys_are_kept(database: Database) -> None:
    """A row that points nowhere is refused."""
    with pytest.raises(DatabaseError, match="FOREIGN KEY"):
        async with database.write() as connection:
            await connection.execute(
                text("INSERT INTO auditoriums (location_id, number) VALUES (7, '1')")
            )


async def test_errors_do_not_show_parameters(database: Database) -> None:
    """A device nonce in a failed statement stays out of the message and of what caused it."""
    with pytest.raises(DatabaseError) as failed:
        async with database.write() as connection:
            await connection.execute(text("SELECT :nonce FROM nowhere"), {"nonce": "hush"})
    assert "hush" not in f"{failed.value}{failed.value.__cause__}"


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


async def test_several_may_open_a_new_database_at_once(tmp_path: Path) -> None:
    """One of them migrates, and none of them fails."""
    url = f"sqlite:///{tmp_path}/tell.db"
    opened = await asyncio.gather(*(Database.open(url) for _ in range(4)))
    for database in opened:
        await database.ping()
        await database.close()


async def test_a_closed_database_says_so(database: Database) -> None:
    """After close, reads, writes and ping are DatabaseErrors; closing again is nothing."""
    await database.close()
    with pytest.raises(DatabaseError, match="closed"):
        await database.ping()
    with pytest.raises(DatabaseError, match="closed"):
        async with database.write():
            pass
    await database.close()


async def test_ping_fails_without_the_tables(database: Database) -> None:
    """A database that lost its tables is not ready."""
    async with database.write() as connection:
        await connection.execute(text("DROP TABLE alembic_version"))
    with pytest.raises(DatabaseError):
        await database.ping()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "tell.db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///x.db?mode=memory",
        "postgresql://u:hush@h/tell",
    ],
)
async def test_a_url_that_cannot_be_used_is_explained(url: str) -> None:
    """The message says what to write, and shows no password."""
    with pytest.raises(DatabaseError, match=r"sqlite:///var/tell\.db") as refused:
        await Database.open(url)
    assert "hush" not in str(refused.value)


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


async def test_a_newer_database_is_refused(database: Database, database_url: str) -> None:
    """A database of a later Tell is not touched, and the message says what is wrong."""
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="not of this version"):
        await Database.open(database_url)


def test_an_installed_copy_migrates_too(tmp_path: Path) -> None:
    """The package alone, away from the checkout and under another folder, makes the tables."""
    package = tmp_path / "site 100%" / "catalog"
    shutil.copytree(
        Path(catalog.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )
    script = (
        "import asyncio, sys; sys.path.insert(0, sys.argv[1])\n"
        "from catalog.database import Database\n"
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
