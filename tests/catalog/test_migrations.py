from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, event, inspect, select, text
from sqlalchemy.dialects import mysql
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.schema import CreateTable

from catalog import migrations
from catalog.store.database import Database
from catalog.store.schema import metadata, purchases
from tests.services.mariadb import MariaServer

MAKE_OLD_PURCHASE = text(
    "INSERT INTO purchases (environment, purchase_id, movie_id, place_id, auditorium_number, "
    "showtime_id, purchased_at, correlation_id, webhook_id, accepted_at, state, attempts, "
    "next_attempt_at) VALUES ('prod', 'p-1', 'm', 'p', '7', 'st-1', 0, 'c', 'w', 0, 'accepted', "
    "0, 0)"
)


def differences(connection: Connection) -> list[object]:
    """What a further migration would have to change."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


def names(connection: Connection) -> dict[str, list[object]]:
    """Names of all tables, indexes and constraints."""
    look = inspect(connection)
    return {
        table: [
            look.get_pk_constraint(table)["name"],
            sorted(str(each["name"]) for each in look.get_foreign_keys(table)),
            sorted(str(each["name"]) for each in look.get_unique_constraints(table)),
            sorted(str(each["name"]) for each in look.get_indexes(table)),
        ]
        for table in look.get_table_names()
        if table != "alembic_version"
    }


async def test_migrations_make_the_schema(database: Database) -> None:
    """What the migrations make is what catalog/store/schema.py describes, names included."""
    async with database.write() as connection:
        assert await connection.run_sync(differences) == []
        made = await connection.run_sync(names)
        await connection.run_sync(migrations.downgrade, "base")
        await connection.run_sync(metadata.create_all)
        described = await connection.run_sync(names)
    assert made == described


async def test_back_and_forth(database: Database) -> None:
    """Going back drops everything, and forward again makes the same tables."""
    async with database.write() as connection:
        before = await connection.run_sync(names)
        await connection.run_sync(migrations.downgrade, "base")
        assert await connection.run_sync(names) == {}
        await connection.run_sync(migrations.upgrade)
        assert await connection.run_sync(names) == before
        assert await connection.scalar(text("SELECT last FROM event_sequence")) == 0


async def test_a_step_back_keeps_the_rows(database: Database) -> None:
    """A version back and forward again: what was sold before is still there."""
    async with database.write() as connection:
        await connection.run_sync(migrations.downgrade, "0001")
        await connection.execute(MAKE_OLD_PURCHASE)
        await connection.run_sync(migrations.upgrade)
        row = (await connection.execute(select(purchases))).one()
        assert (row.purchase_id, row.traceparent, row.cancelled_at) == ("p-1", None, None)
        await connection.run_sync(migrations.downgrade, "0001")
        kept = await connection.execute(text("SELECT purchase_id FROM purchases"))
        assert kept.scalars().all() == ["p-1"]
        await connection.run_sync(migrations.upgrade)


class Killed(Exception):  # noqa: N818  (it is no error of ours)
    """The process ends here."""


async def test_a_migration_that_is_killed_goes_on(mariadb_server: MariaServer) -> None:
    """MariaDB commits each step: killed after any one of them, the next start makes the rest.

    So does a way back that was killed.
    """
    engine = create_async_engine(
        (await mariadb_server.fresh_database("new")).replace("mariadb://", "mysql+asyncmy://")
    )

    def kill_after_one_step(
        _connection: object, _cursor: object, statement: str, *_rest: object
    ) -> None:
        if statement.lstrip().upper().startswith(("CREATE", "ALTER", "DROP")):
            raise Killed

    async def to_the_end(command: Callable[[Connection], None]) -> int:
        """Start again after each kill; returns the number of kills."""
        for kills in range(1000):
            try:
                async with engine.begin() as connection:
                    await connection.run_sync(command)
            except Killed:
                continue
            return kills
        raise AssertionError("it never ends")

    event.listen(engine.sync_engine, "after_cursor_execute", kill_after_one_step)
    ups = await to_the_end(migrations.upgrade)
    event.remove(engine.sync_engine, "after_cursor_execute", kill_after_one_step)
    async with engine.begin() as connection:
        assert await connection.run_sync(differences) == []
        made = await connection.run_sync(names)
        assert await connection.scalar(text("SELECT count(*) FROM event_sequence")) == 1
    event.listen(engine.sync_engine, "after_cursor_execute", kill_after_one_step)
    downs = await to_the_end(lambda connection: migrations.downgrade(connection, "base"))
    event.remove(engine.sync_engine, "after_cursor_execute", kill_after_one_step)
    async with engine.begin() as connection:
        assert await connection.run_sync(names) == {}
        await connection.run_sync(migrations.upgrade)
        assert await connection.run_sync(names) == made
    await engine.dispose()
    assert ups > len(made)
    assert downs > len(made)


def test_the_tables_can_be_written_for_mysql() -> None:
    """Every table compiles for MySQL and MariaDB, compared byte by byte, with names that fit."""
    dialect = mysql.dialect()
    for table in metadata.sorted_tables:
        statement = str(CreateTable(table).compile(dialect=dialect))
        assert "COLLATE utf8mb4_bin" in statement
        named = [*(each.name for each in table.constraints), *(each.name for each in table.indexes)]
        # MySQL's limit for identifiers.
        assert all(0 < len(str(name)) <= 64 for name in named)


async def test_who_listens_now_is_found_by_an_index(tmp_path: Path) -> None:
    """Not by a look at each ticket of thirty days; SQLite says how it would look."""
    database = await Database.open(f"sqlite:///{tmp_path / 'tell.db'}")
    seen = text("EXPLAIN QUERY PLAN SELECT rebuffers FROM playback_states WHERE reported_at >= 1")
    async with database.read() as connection:
        plan = [row[-1] for row in await connection.execute(seen)]
    await database.close()
    assert plan == [
        "SEARCH playback_states USING INDEX ix_playback_states_reported_at (reported_at>?)"
    ]


async def test_a_gateway_of_before_runs_on_beside_the_evening_s_tables(database: Database) -> None:
    """What 0002 knows is as it was: its rows are still rows, and go back with it."""
    async with database.write() as connection:
        await connection.run_sync(migrations.downgrade, "0002")
        before = await connection.run_sync(names)
        await connection.execute(MAKE_OLD_PURCHASE)
        await connection.run_sync(migrations.upgrade)
        after = await connection.run_sync(names)
        assert set(after) - set(before) == {"ended_sessions"}
        for table in before:
            *constraints, indexes = before[table]
            *later, more = after[table]
            assert constraints == later
            assert isinstance(indexes, list)
            assert isinstance(more, list)
            assert set(indexes) <= set(more)
        await connection.run_sync(migrations.downgrade, "0002")
        kept = await connection.execute(text("SELECT purchase_id FROM purchases"))
        assert kept.scalars().all() == ["p-1"]
        await connection.run_sync(migrations.upgrade)
