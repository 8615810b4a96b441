"""The database: a transaction is durable when its block has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from alembic.util import CommandError
from sqlalchemy import Table, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from amc_clone import migrations
from amc_clone.engines import WRITES, lock_migrations, open_engine, reason, unlock_migrations
from amc_clone.errors import DatabaseError


class Database:
    """The engine and its transactions. All of it raises DatabaseError when the disk fails."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # SQLite has one writer; queueing here is fair, and its own busy waiting is not. On MariaDB
        # it spares the one process that sells from meeting itself.
        self._writer = asyncio.Lock()

    @classmethod
    async def open(cls, database: str | Path) -> Database:
        """Open *database* and bring its tables to this version.

        A path is an SQLite file, which is made where there is none; `mariadb://user@host/name` is
        an existing database of a server.
        """
        place, engine = await asyncio.to_thread(open_engine, database)
        opened = cls(engine)
        try:
            await opened._migrate()
        except CommandError as error:
            await opened.close()
            raise DatabaseError(
                f"{place} is of another version of AMC-clone ({error}); "
                "move it away and seed a new one"
            ) from error
        except DatabaseError as error:
            await opened.close()
            raise DatabaseError(f"{place}: {error}") from error
        return opened

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One snapshot of the database."""
        with _failures():
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One durable transaction, rolled back when the block raises."""
        with _failures():
            async with self._writer, self._engine.connect() as connection:
                await connection.execution_options(**{WRITES: True})
                async with connection.begin():
                    yield connection

    async def ping(self) -> None:
        """Raise DatabaseError unless a query is answered."""
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    async def _migrate(self) -> None:
        async with self.write() as connection:
            await lock_migrations(connection)
            await connection.run_sync(migrations.upgrade)
            await unlock_migrations(connection)


@contextmanager
def _failures() -> Iterator[None]:
    """What goes wrong is a DatabaseError; a task that is asked to end meanwhile does end.

    A driver may take the cancellation for a failure of its server, or forget it where an answer
    comes at the same moment (asyncio.wait_for before Python 3.12, CPython issue 86296).
    """
    before = _cancellations()
    try:
        yield
    except SQLAlchemyError as error:
        if _cancellations() > before:
            raise asyncio.CancelledError from None
        raise DatabaseError(reason(error)) from None
    if _cancellations() > before:
        raise asyncio.CancelledError


def _cancellations() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


async def insert_row(connection: AsyncConnection, table: Table, **values: Any) -> int:
    """Insert one row and return its id."""
    result = await connection.execute(table.insert().values(**values))
    key = result.inserted_primary_key
    # SQLAlchemy types it as optional for statements that insert many rows.
    assert key is not None  # noqa: S101
    return int(key[0])
