from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateTable

from catalog import migrations
from catalog.database import Database
from catalog.schema import metadata


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
    """What the migrations make is what catalog/schema.py describes, names included."""
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


async def test_an_undone_migration_leaves_nothing(database: Database) -> None:
    """Steps are part of the caller's transaction: a failure after them undoes them."""
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is what is tested
        async with database.write() as connection:
            await connection.run_sync(migrations.downgrade, "base")
            _ = 1 / 0
    await database.ping()
    async with database.read() as connection:
        assert "purchases" in await connection.run_sync(names)


def test_the_tables_can_be_written_for_mariadb() -> None:
    """Every table compiles for MySQL and MariaDB, compared byte by byte, with names that fit."""
    dialect = mysql.dialect()
    for table in metadata.sorted_tables:
        statement = str(CreateTable(table).compile(dialect=dialect))
        assert "COLLATE utf8mb4_bin" in statement
        named = [*(each.name for each in table.constraints), *(each.name for each in table.indexes)]
        # MySQL's limit for identifiers.
        assert all(0 < len(str(name)) <= 64 for name in named)
