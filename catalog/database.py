"""The database: one writer, several readers, and every transaction durable when it has ended.

SQLite by aiosqlite: write-ahead log, so that readers never wait for the writer, and
synchronous=FULL, so that what was answered for is on the disk (https://sqlite.org/pragma.html).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path

from alembic.util import CommandError
from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from catalog import migrations
from catalog.errors import DatabaseError

_READERS = 4
# How long another process may hold the write lock before we give up.
_BUSY_TIMEOUT_S = 5.0


class Database:
    """Connections to one database; made by `open`."""

    def __init__(self, writer: AsyncEngine, readers: AsyncEngine) -> None:
        self._writer = writer
        self._readers = readers
        self._closed = False

    @classmethod
    async def open(cls, url: str, *, busy_timeout_s: float = _BUSY_TIMEOUT_S) -> Database:
        """Connect to *url* (`sqlite:///path`), make the folder, bring the tables to this version.

        Several processes may open one database at once: the first one migrates, the others wait.
        Raises DatabaseError.
        """
        parsed, path = _sqlite_url(url)
        try:
            await asyncio.to_thread(_make_file, path, busy_timeout_s)
        except OSError as error:
            raise DatabaseError(f"{path}: cannot be made: {error.strerror}") from error
        except sqlite3.Error as error:
            raise DatabaseError(f"the database failed: {error}") from error
        database = cls(
            # One connection: SQLite has one writer at a time, and so tasks queue here, in order,
            # and not in its busy loop.
            _engine(parsed, "BEGIN IMMEDIATE", pool_size=1, busy_timeout_s=busy_timeout_s),
            _engine(parsed, "BEGIN", pool_size=_READERS, busy_timeout_s=busy_timeout_s),
        )
        try:
            async with database.write() as connection:
                await connection.run_sync(migrations.upgrade)
        except CommandError as error:
            await database.close()
            raise DatabaseError(
                f"{path}: its tables are not of this version of Tell: {error}"
            ) from error
        except DatabaseError:
            await database.close()
            raise
        return database

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection that sees one moment of the database and cannot change it.

        Raises DatabaseError.
        """
        return self._transaction(self._readers)

    def write(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """One transaction, alone among writers; durable once the block has ended without an error.

        Raises DatabaseError, and then nothing was changed.
        """
        return self._transaction(self._writer)

    async def ping(self) -> None:
        """Raise DatabaseError unless the database answers and has our tables."""
        async with self.read() as connection:
            await connection.execute(text("SELECT version_num FROM alembic_version"))

    async def close(self) -> None:
        """Close all connections; a second call does nothing."""
        self._closed = True
        await self._readers.dispose()
        await self._writer.dispose()

    @asynccontextmanager
    async def _transaction(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        if self._closed:
            raise DatabaseError("the database is closed")
        try:
            async with engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            # The driver's words alone: SQLAlchemy would add the statement.
            raise DatabaseError(f"the database failed: {error.orig}") from error
        except PoolTimeoutError as error:
            raise DatabaseError("the database is busy: no connection became free") from error


def _make_file(path: Path, busy_timeout_s: float) -> None:
    """Make the file where there is none, in WAL mode, which stays with it.

    For its owner's eyes: a ticket tells that somebody cannot see. SQLite keeps the mode for its
    other files. One process at a time, since a change to WAL fails with SQLITE_BUSY beside another
    connection and does not wait (https://sqlite.org/wal.html#activating_and_configuring_wal_mode).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        path.touch(mode=0o600, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=busy_timeout_s)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    finally:
        os.close(folder)


def _sqlite_url(url: str) -> tuple[URL, Path]:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseError(
            "database.url is not a URL; write sqlite:/// and a path, such as sqlite:///var/tell.db"
        ) from error
    path = parsed.database
    if parsed.drivername != "sqlite" or not path or path == ":memory:" or parsed.query:
        raise DatabaseError(
            f"database.url: {parsed.render_as_string(hide_password=True)} cannot be used; "
            "write sqlite:/// and a path, such as sqlite:///var/tell.db"
        )
    return parsed.set(drivername="sqlite+aiosqlite"), Path(path)


def _engine(url: URL, begin: str, *, pool_size: int, busy_timeout_s: float) -> AsyncEngine:
    engine = create_async_engine(
        url,
        # Without this sqlite3 begins transactions by itself, late and never IMMEDIATE.
        connect_args={"isolation_level": None, "timeout": busy_timeout_s},
        pool_size=pool_size,
        max_overflow=0,
        # Parameters hold device nonces, which do not belong in a log.
        hide_parameters=True,
    )

    def connected(dbapi_connection: sqlite3.Connection, _record: object) -> None:
        cursor = dbapi_connection.cursor()
        # The default in a WAL build may be NORMAL, which loses the last commits to a power cut.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        if begin == "BEGIN":
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    def begun(connection: Connection) -> None:
        # IMMEDIATE takes the write lock at once: a reader that turns into a writer later would
        # fail with SQLITE_BUSY where another has written meanwhile (sqlite.org/isolation.html).
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "begin", begun)
    return engine
