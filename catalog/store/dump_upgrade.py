"""Bringing a dump of an earlier version of the tables to this one.

It is loaded into a scratch SQLite file whose tables are of its own version, the migrations run
there as they ran on the servers of that time, and the result is dumped again. The database that is
to be restored changes in one transaction at the end, or not at all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from alembic.util import CommandError
from sqlalchemy.ext.asyncio import create_async_engine

from catalog import migrations
from catalog.errors import DumpVersionError
from catalog.store.dump import Header, dump, load


async def upgraded(header: Header, lines: Iterator[bytes], folder: Path) -> AsyncIterator[bytes]:
    """The lines of the dump, its header among them, as if this version had made it.

    *folder* is an empty one for the scratch file. Raises DumpError, DumpVersionError.
    """
    engine = create_async_engine(f"sqlite+aiosqlite:///{folder / 'scratch.db'}")
    try:
        async with engine.begin() as connection:
            try:
                await connection.run_sync(migrations.upgrade, header.revision)
            except CommandError as error:
                raise DumpVersionError(
                    f"its tables have version {header.revision}, which is not known here: it was "
                    "made by a later Tell"
                ) from error
            await load(connection, lines)
            await connection.run_sync(migrations.upgrade)
            async for line in dump(connection, header.taken_at):
                yield line
    finally:
        await engine.dispose()
