from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import bindparam, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog import migrations
from catalog.errors import DatabaseError
from catalog.store.database import Database
from catalog.store.schema import event_sequence, listeners

MAKE_LISTENER = text("INSERT INTO listeners (id, created_at) VALUES (:id, 0)")


async def listener_count(database: Database) -> int:
    """Committed rows of the listeners table."""
    async with database.read() as connection:
        count = (await connection.execute(text("SELECT count(*) FROM listeners"))).scalar_one()
    return int(count)


async def test_a_reader_cannot_write(database: Database) -> None:
    """A statement that changes something fails on a read connection."""
    with pytest.raises(DatabaseError, match=r"(?i)read ?only"):
        async with database.read() as connection:
            await connection.execute(MAKE_LISTENER, {"id": "a"})
    assert await listener_count(database) == 0


async def test_a_reader_sees_one_moment(database: Database) -> None:
    """What is committed while a read block is open does not appear in it."""
    async with database.read() as connection:
        before = await connection.scalar(text("SELECT count(*) FROM listeners"))
        async with database.write() as writer:
            await writer.execute(MAKE_LISTENER, {"id": "a"})
        assert await connection.scalar(text("SELECT count(*) FROM listeners")) == before
    assert await listener_count(database) == 1


async def test_rows_of_one_query_are_those_of_this_moment(database: Database) -> None:
    """Each sees what was committed before it, many at once, and changes nothing."""
    query = select(listeners.c.id).order_by(listeners.c.id)
    assert await database.rows(query) == []
    for number in range(3):
        async with database.write() as connection:
            await connection.execute(MAKE_LISTENER, {"id": str(number)})
            # Not committed yet.
            assert len(await database.rows(query)) == number
        assert [row.id for row in await database.rows(query)] == [str(n) for n in range(number + 1)]
    many = await asyncio.gather(*(database.rows(query) for _ in range(40)))
    assert {len(rows) for rows in many} == {3}


async def test_one_that_fails_or_goes_away_spoils_no_other_rows(database: Database) -> None:
    """Though they are read together."""
    good = select(listeners.c.id).where(listeners.c.id == bindparam("name"))
    async with database.write() as connection:
        for number in range(10):
            await connection.execute(MAKE_LISTENER, {"id": str(number)})
    asked: list[asyncio.Task[Any]] = []
    for number in range(10):
        asked.append(asyncio.create_task(database.rows(good, {"name": str(number)})))
        asked.append(asyncio.create_task(database.rows(select(text("nothing FROM nowhere")))))
        asked.append(asyncio.create_task(database.rows(good, {"name": "0"})))
    await asyncio.sleep(0)
    for gone in asked[2::3]:
        gone.cancel()
    found = await asyncio.gather(*asked, return_exceptions=True)
    ids = [[row.id for row in rows] for rows in found[::3] if not isinstance(rows, BaseException)]
    assert ids == [[str(number)] for number in range(10)]
    assert all(isinstance(error, DatabaseError) for error in found[1::3])
    assert all(isinstance(error, asyncio.CancelledError) for error in found[2::3])
    assert len(await database.rows(good, {"name": "5"})) == 1


async def test_rows_tell_failures_as_a_read_does(database: Database) -> None:
    """What the database refuses, and a database that is closed."""
    with pytest.raises(DatabaseError, match="failed"):
        await database.rows(select(text("nothing FROM nowhere")))
    await database.close()
    with pytest.raises(DatabaseError, match="closed"):
        await database.rows(select(listeners.c.id))


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


async def test_a_cancelled_writer_leaves_nothing(database: Database) -> None:
    """A task that is cancelled in its transaction changes nothing, and the next write works."""
    wrote = asyncio.Event()

    async def write() -> None:
        async with database.write() as connection:
            await connection.execute(MAKE_LISTENER, {"id": "a"})
            wrote.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await wrote.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await listener_count(database) == 0
    async with database.write() as connection:
        await connection.execute(MAKE_LISTENER, {"id": "a"})
    assert await listener_count(database) == 1


async def test_whoever_is_cancelled_ends(database: Database) -> None:
    """At whatever moment a worker is cancelled, it ends, and the next ones get their connections.

    No driver may take the cancellation for an answer, or for a failure that is tried again.
    """

    async def work() -> None:
        while True:
            with suppress(DatabaseError):
                await listener_count(database)

    for turns in range(60):
        workers = [asyncio.create_task(work()) for _ in range(6)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for worker in workers:
            worker.cancel()
        async with asyncio.timeout(20):
            ends = await asyncio.gather(*workers, return_exceptions=True)
        assert {type(end) for end in ends} == {asyncio.CancelledError}
    assert await listener_count(database) == 0


async def test_a_transaction_that_takes_too_long_is_given_up(database: Database) -> None:
    """Whoever holds one for ever, as where a server does not answer, gets a DatabaseError."""
    with pytest.raises(DatabaseError, match="did not answer within"):  # noqa: PT012 - is tested
        async with database.write(limit_s=0.05) as connection:
            await connection.execute(MAKE_LISTENER, {"id": "a"})
            await asyncio.Event().wait()
    assert await listener_count(database) == 0


async def test_a_time_out_of_the_block_itself_is_its_own(database: Database) -> None:
    """A TimeoutError that the caller raises in the block reaches him."""
    with pytest.raises(TimeoutError):
        async with database.read():
            raise TimeoutError


async def test_readers_do_not_wait_for_the_writer(database: Database) -> None:
    """A read answers while a write transaction is open, with what was committed before."""
    async with asyncio.timeout(20), database.write() as writer:
        await writer.execute(MAKE_LISTENER, {"id": "a"})
        assert await listener_count(database) == 0
    assert await listener_count(database) == 1


async def test_many_writers_at_once(database: Database) -> None:
    """Many tasks that write at once all succeed."""

    async def write(number: int) -> None:
        async with database.write() as connection:
            await connection.execute(MAKE_LISTENER, {"id": str(number)})

    await asyncio.gather(*(write(number) for number in range(30)))
    assert await listener_count(database) == 30


async def test_writers_that_count_lose_nothing(database: Database) -> None:
    """`run` around a read that is locked and a write by it: no update is lost among many tasks."""

    async def count_up(connection: AsyncConnection) -> None:
        last = await connection.scalar(select(event_sequence.c.last).with_for_update())
        assert last is not None
        await connection.execute(update(event_sequence).values(last=last + 1))

    await asyncio.gather(*(database.run(count_up) for _ in range(30)))
    async with database.read() as connection:
        assert await connection.scalar(text("SELECT last FROM event_sequence")) == 30


async def test_run_gives_back_what_the_work_does(database: Database) -> None:
    """The result of the work is the result of `run`, and its error is the caller's."""

    async def work(connection: AsyncConnection) -> int:
        await connection.execute(MAKE_LISTENER, {"id": "a"})
        return 7

    async def failing(connection: AsyncConnection) -> None:
        await connection.execute(MAKE_LISTENER, {"id": "b"})
        raise LookupError

    assert await database.run(work) == 7
    with pytest.raises(LookupError):
        await database.run(failing)
    assert await listener_count(database) == 1


async def test_foreign_keys_are_kept(database: Database) -> None:
    """A row that points nowhere is refused."""
    with pytest.raises(DatabaseError, match=r"(?i)foreign key"):
        async with database.write() as connection:
            await connection.execute(
                text("INSERT INTO auditoriums (location_id, number) VALUES (7, '1')")
            )


async def test_a_text_that_is_too_long_is_not_cut(database: Database) -> None:
    """A column holds what was given, or nothing: no database shortens it in silence."""
    long = "a" * 200
    try:
        async with database.write() as connection:
            await connection.execute(MAKE_LISTENER, {"id": long})
    except DatabaseError:
        assert await listener_count(database) == 0
    else:
        async with database.read() as connection:
            assert await connection.scalar(text("SELECT id FROM listeners")) == long


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT :nonce FROM nowhere",
        "INSERT INTO listeners (id, created_at) VALUES (:nonce, 0), (:nonce, 0)",
        "SELECT :nonce FROM listeners WHERE (",
    ],
)
async def test_errors_do_not_show_parameters(database: Database, statement: str) -> None:
    """A secret in a failed statement stays out of the message and of what caused it."""
    with pytest.raises(DatabaseError) as failed:
        async with database.write() as connection:
            await connection.execute(text(statement), {"nonce": "hu'sh"})
    assert "sh" not in f"{failed.value}{failed.value.__cause__}".replace("should", "")


async def test_a_second_opening_keeps_all(database: Database, database_url: str) -> None:
    """What was written is there when the database is opened again."""
    async with database.write() as connection:
        await connection.execute(MAKE_LISTENER, {"id": "a"})
    again = await Database.open(database_url)
    assert await listener_count(again) == 1
    await again.ping()
    await again.close()


async def test_several_may_open_a_new_database_at_once(new_database_url: str) -> None:
    """One of them migrates, and none of them fails."""
    opened = await asyncio.gather(*(Database.open(new_database_url) for _ in range(4)))
    for number, database in enumerate(opened):
        async with database.write() as connection:
            await connection.execute(MAKE_LISTENER, {"id": f"listener-{number}"})
            version = await connection.execute(text("SELECT version_num FROM alembic_version"))
            assert version.all() == [(migrations.head(),)]
    # One database of one set of tables: each sees what all have written.
    assert [await listener_count(database) for database in opened] == [4, 4, 4, 4]
    for database in opened:
        await database.close()


async def test_what_may_be_stale_is_read_without_a_replica_too(database: Database) -> None:
    """Where there is no replica, the database itself is read."""
    async with database.write() as connection:
        await connection.execute(MAKE_LISTENER, {"id": "a"})
    async with database.read(stale_ok=True) as connection:
        assert await connection.scalar(text("SELECT count(*) FROM listeners")) == 1


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


@pytest.mark.parametrize("url", ["", "tell.db", "postgresql://u:hush@h/tell"])
async def test_a_url_that_cannot_be_used_is_explained(url: str) -> None:
    """The message says what to write, and shows no password."""
    with pytest.raises(DatabaseError, match=r"sqlite:///var/tell\.db.*mariadb://") as refused:
        await Database.open(url)
    assert "hush" not in str(refused.value)


async def test_a_newer_database_is_refused(database: Database, database_url: str) -> None:
    """A database of a later Tell is not touched, and the message says what is wrong."""
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="not of this version"):
        await Database.open(database_url)
