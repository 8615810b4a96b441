from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog import migrations
from catalog.errors import DatabaseError, WriteConflictError
from catalog.store.database import Database
from tests.catalog.store.test_database import MAKE_LISTENER, listener_count
from tests.services.mariadb import MariaServer, running_mariadb, tell_database

PAGE = Path(__file__).parents[3] / "docs" / "database.md"


@pytest.fixture
async def url(mariadb_server: MariaServer) -> str:
    """A database with Tell's tables."""
    return await tell_database(mariadb_server)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """It, opened."""
    opened = await Database.open(url)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def primary(installed_mariadb: Path) -> Iterator[MariaServer]:
    """A server that others can follow, set up as docs/database.md says."""
    options = ("--server-id=1", "--log-bin=log", "--sync-binlog=1")
    with running_mariadb(*options, installed=installed_mariadb) as server:
        yield server


async def test_every_session_is_strict_and_in_utc(database: Database) -> None:
    """Writers read what is committed, readers one moment, and no session guesses or converts."""
    session = text("SELECT @@tx_isolation, @@time_zone, @@sql_mode")
    async with database.write() as connection:
        isolation, zone, mode = (await connection.execute(session)).one()
        assert (isolation, zone) == ("READ-COMMITTED", "+00:00")
        assert "STRICT_ALL_TABLES" in mode
    async with database.read() as connection:
        isolation, zone, mode = (await connection.execute(session)).one()
        assert (isolation, zone) == ("REPEATABLE-READ", "+00:00")
        assert "STRICT_ALL_TABLES" in mode


async def test_partner_ids_are_compared_byte_by_byte(database: Database) -> None:
    """`A` and `a` and `ä` are three ids, as on SQLite."""
    async with database.write() as connection:
        for listener_id in ("a", "A", "ä"):
            await connection.execute(MAKE_LISTENER, {"id": listener_id})
    assert await listener_count(database) == 3


async def test_a_deadlock_is_tried_again(database: Database) -> None:
    """Two writers that lock two rows in opposite order: one is undone, runs again, and both end."""
    async with database.write() as connection:
        for listener_id in ("a", "b"):
            await connection.execute(MAKE_LISTENER, {"id": listener_id})
    locked = {"a": asyncio.Event(), "b": asyncio.Event()}
    runs: list[str] = []

    async def lock(connection: AsyncConnection, listener_id: str) -> None:
        await connection.execute(
            text("UPDATE listeners SET created_at = created_at + 1 WHERE id = :id"),
            {"id": listener_id},
        )

    async def write(mine: str, other: str) -> None:
        async def work(connection: AsyncConnection) -> None:
            runs.append(mine)
            await lock(connection, mine)
            locked[mine].set()
            await locked[other].wait()
            await lock(connection, other)

        await database.run(work)

    async with asyncio.timeout(20):
        await asyncio.gather(write("a", "b"), write("b", "a"))
    assert len(runs) == 3
    async with database.read() as connection:
        assert set(await connection.scalars(text("SELECT created_at FROM listeners"))) == {2}


async def test_two_who_insert_the_same_key(database: Database) -> None:
    """Both look and find nothing, one inserts, and the other runs again and finds it."""
    looked = asyncio.Barrier(2)
    found: list[object] = []

    async def work(connection: AsyncConnection) -> None:
        known = await connection.scalar(text("SELECT id FROM listeners WHERE id = 'a'"))
        found.append(known)
        if len(found) <= 2:
            await looked.wait()
        if known is None:
            await connection.execute(MAKE_LISTENER, {"id": "a"})

    async with asyncio.timeout(20):
        await asyncio.gather(database.run(work), database.run(work))
    assert found == [None, None, "a"]
    assert await listener_count(database) == 1


async def test_a_conflict_that_stays_is_an_error(database: Database) -> None:
    """A key that is there and never looked at is a WriteConflictError after some runs."""
    runs = 0

    async def work(connection: AsyncConnection) -> None:
        nonlocal runs
        runs += 1
        await connection.execute(MAKE_LISTENER, {"id": "a"})

    await database.run(work)
    with pytest.raises(WriteConflictError, match="another writer was first"):
        await database.run(work)
    assert runs > 2
    assert await listener_count(database) == 1


async def test_a_row_that_another_holds_is_waited_for_and_no_longer(
    url: str, database: Database
) -> None:
    """After the time-out a held row is a DatabaseError, and nothing is changed."""
    impatient = await Database.open(url, busy_timeout_s=1)
    async with database.write() as connection:
        await connection.execute(MAKE_LISTENER, {"id": "a"})
        with pytest.raises(DatabaseError, match="Lock wait timeout"):  # noqa: PT012 - is tested
            async with impatient.write() as other:
                await other.execute(MAKE_LISTENER, {"id": "b"})
                await other.execute(MAKE_LISTENER, {"id": "a"})
    assert await listener_count(database) == 1
    await impatient.close()


async def test_a_server_that_loses_commits_is_refused(
    url: str, mariadb_server: MariaServer
) -> None:
    """A 202 must outlive a power cut: the message names the setting to mend."""
    await mariadb_server.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 2")
    try:
        with pytest.raises(DatabaseError, match="innodb_flush_log_at_trx_commit = 1"):
            await Database.open(url)
    finally:
        await mariadb_server.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 1")
    await (await Database.open(url)).close()


async def test_a_binary_log_must_be_as_durable(primary: MariaServer) -> None:
    """At a recovery the binary log decides what was committed; and it must hold rows."""
    url = await primary.fresh_database("tell")
    await primary.execute("SET GLOBAL sync_binlog = 0", "SET GLOBAL binlog_format = STATEMENT")
    try:
        with pytest.raises(DatabaseError, match=r"sync_binlog = 1, binlog_format = ROW"):
            await Database.open(url)
    finally:
        await primary.execute("SET GLOBAL sync_binlog = 1", "SET GLOBAL binlog_format = MIXED")


async def test_a_restarted_server_costs_no_request(url: str, mariadb_server: MariaServer) -> None:
    """Killed and started again: while it is away each use is a DatabaseError, and then none is."""
    database = await Database.open(url)
    async with database.write() as connection:
        await connection.execute(MAKE_LISTENER, {"id": "a"})
    mariadb_server.kill()
    try:
        with pytest.raises(DatabaseError):
            await database.ping()
    finally:
        await asyncio.to_thread(mariadb_server.start)
    assert await listener_count(database) == 1
    async with database.write() as connection:
        await connection.execute(MAKE_LISTENER, {"id": "b"})
    assert await listener_count(database) == 2
    await database.close()


async def test_what_may_be_stale_is_read_from_the_replica(
    primary: MariaServer, installed_mariadb: Path
) -> None:
    """A real replica is read where that is allowed, and the primary when the replica is gone."""
    url = await tell_database(primary)
    number = text("SELECT @@server_id")
    options = ("--server-id=2", "--read-only=1")
    with running_mariadb(*options, installed=installed_mariadb) as replica:
        await replica.follow(primary)
        database = await Database.open(url, replica.url("tell", tcp=True))
        async with database.write() as connection:
            await connection.execute(MAKE_LISTENER, {"id": "a"})
        async with database.read() as connection:
            assert await connection.scalar(number) == 1
        await replica.catch_up(primary)
        async with database.read(stale_ok=True) as connection:
            assert await connection.scalar(number) == 2
            assert await connection.scalar(text("SELECT count(*) FROM listeners")) == 1
        replica.kill()
        for _ in range(2):
            async with database.read(stale_ok=True) as connection:
                assert await connection.scalar(number) == 1
        await database.close()


async def test_an_account_as_documented_with_any_password(mariadb_server: MariaServer) -> None:
    """The rights of docs/database.md are enough to make and use the tables.

    The password may come apart from the URL, may hold what Latin-1 does not, and is never shown.
    """
    (grant,) = re.findall(r"GRANT (.+) ON tell\.\*", PAGE.read_text("utf-8"))
    url = await mariadb_server.fresh_database("new")
    await mariadb_server.execute(
        "CREATE OR REPLACE USER tell@localhost IDENTIFIED BY 'hüsh→☂'",
        f"GRANT {grant} ON `new`.* TO tell@localhost",
    )
    own = url.replace("root@", "tell@")
    database = await Database.open(own, password="hüsh→☂")
    async with database.write() as connection:
        await connection.execute(MAKE_LISTENER, {"id": "a"})
        await connection.run_sync(migrations.downgrade, "base")
    await database.close()
    with pytest.raises(DatabaseError, match="password_file") as refused:
        await Database.open(own.replace("tell@", "tell:hush@"))
    assert "hush" not in str(refused.value)
    assert "Access denied" in str(refused.value)


@pytest.mark.parametrize(
    "given",
    [
        "mariadb://root:hush@localhost",
        "mariadb://localhost/tell",
        "mysql://root:hush@localhost/tell?sslmode=no",
    ],
)
async def test_an_incomplete_url_is_explained(given: str) -> None:
    """The message says what to write, and shows no password."""
    with pytest.raises(DatabaseError, match="write mariadb://user@host:3306/name") as refused:
        await Database.open(given)
    assert "hush" not in str(refused.value)


async def test_a_replica_of_another_kind_is_refused(url: str) -> None:
    """The replica of a server is a server."""
    with pytest.raises(DatabaseError, match=r"database\.replica_url: write mariadb://"):
        await Database.open(url, "sqlite:///replica.db")


async def test_a_missing_database_is_named_with_the_mend(mariadb_server: MariaServer) -> None:
    """Tell makes its tables and not its database: the statement for it is in the message."""
    with pytest.raises(DatabaseError, match=r"/nowhere.*CREATE DATABASE"):
        await Database.open(mariadb_server.url("nowhere"))


async def test_a_server_that_is_not_there() -> None:
    """The message names where it was looked for."""
    with pytest.raises(DatabaseError, match=r"127\.0\.0\.1:9/tell.*connect"):
        await Database.open("mariadb://root:hush@127.0.0.1:9/tell")
