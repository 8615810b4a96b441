"""One SQLite database: a transaction is durable when its block has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, event, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from amc_clone.errors import DatabaseError
from amc_clone.schema import SCHEMA_VERSION, metadata, schema_version

# `amc-clone seed` may write while the service runs: wait for it rather than fail.
_BUSY_TIMEOUT_MS = 10_000
_WRITES = "amc_clone_writes"


class Database:
    """The engine and its transactions. All of it raises DatabaseError when the disk fails."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # SQLite has one writer; queueing here is fair, and its own busy waiting is not.
        self._writer = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path) -> Database:
        """Open or create the database at *path* and its tables."""
        try:
            await asyncio.to_thread(_make_file, path)
        except OSError as error:
            raise DatabaseError(f"{path}: cannot be created: {error.strerror}") from error
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        event.listen(engine.sync_engine, "connect", _configure)
        event.listen(engine.sync_engine, "begin", _begin)
        database = cls(engine)
        try:
            await database._create_tables(path)
        except DatabaseError:
            await database.close()
            raise
        return database

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One snapshot of the database."""
        try:
            async with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise DatabaseError(_reason(error)) from error

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One durable transaction, rolled back when the block raises."""
        try:
            async with self._writer, self._engine.connect() as connection:
                await connection.execution_options(**{_WRITES: True})
                async with connection.begin():
                    yield connection
        except SQLAlchemyError as error:
            raise DatabaseError(_reason(error)) from error

    async def ping(self) -> None:
        """Raise DatabaseError unless a query is answered."""
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    async def _create_tables(self, path: Path) -> None:
        async with self.write() as connection:
            await connection.run_sync(metadata.create_all)
            version = await connection.scalar(select(schema_version.c.version))
            if version is None:
                await connection.execute(schema_version.insert().values(version=SCHEMA_VERSION))
        if version not in {None, SCHEMA_VERSION}:
            raise DatabaseError(
                f"{path} has schema version {version} and this program needs {SCHEMA_VERSION}; "
                "move it away and seed a new one"
            )


def _reason(error: SQLAlchemyError) -> str:
    # str(error) would show the statement's parameters, and a listen_url is among them.
    original = getattr(error, "orig", None)
    return type(error).__name__ if original is None else str(original)


def _make_file(path: Path) -> None:
    """For its owner's eyes, since it holds listen links. SQLite keeps the mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=True)


def _configure(dbapi_connection: Any, _record: object) -> None:
    # The driver would begin transactions by itself and too late: _begin does it.
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    # With WAL, NORMAL may lose the last commits at a power cut; a sold ticket may not be lost.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A deferred transaction that turns into a writer can fail at once with "database is locked".
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


async def insert_row(connection: AsyncConnection, table: Table, **values: Any) -> int:
    """Insert one row and return its id."""
    result = await connection.execute(table.insert().values(**values))
    key = result.inserted_primary_key
    # SQLAlchemy types it as optional for statements that insert many rows.
    assert key is not None  # noqa: S101
    return int(key[0])
