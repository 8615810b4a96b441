from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, select, text

from amc_clone import migrations
from amc_clone.database import Database
from amc_clone.schema import metadata, movies

MAKE_MOVIE = text(
    "INSERT INTO movies (movie_id, title, year, running_time_s, poster_path) "
    "VALUES ('m', 'M', 1920, 60, '/p')"
)


def differences(connection: Connection) -> list[object]:
    """What a further migration would have to change."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


async def test_migrations_make_the_schema(empty_url: str) -> None:
    """What the migrations make is what amc_clone/schema.py describes."""
    database = await Database.open(empty_url)
    async with database.write() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()


async def test_back_and_forth(empty_url: str) -> None:
    """A version back keeps the rows, the way to the first drops everything, and forward again."""
    database = await Database.open(empty_url)
    async with database.write() as connection:
        await connection.execute(MAKE_MOVIE)
        await connection.run_sync(migrations.downgrade, "0001")
        await connection.run_sync(migrations.upgrade)
        assert await connection.scalar(select(movies.c.title)) == "M"
        await connection.run_sync(migrations.downgrade, "base")
        left = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        assert left == ["alembic_version"]
        await connection.run_sync(migrations.upgrade)
        assert await connection.run_sync(differences) == []
    await database.close()
