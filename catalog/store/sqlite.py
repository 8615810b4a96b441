"""An SQLite file as Tell uses it: write-ahead log, every commit on the disk, one writer at a time.

WAL lets readers go on while one writes, and synchronous=FULL has what was answered for on the disk
(https://sqlite.org/pragma.html).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Row, Select, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from catalog import migrations
from catalog.errors import DatabaseError
from catalog.store.file_version import FileVersion
from catalog.store.short_reads import ShortReads

_READERS = 4


class SqliteBackend:
    """The engines of one file; made by `open`."""

    replica: AsyncEngine | None = None

    def __init__(self, path: Path, url: URL, busy_timeout_s: float) -> None:
        self.place = str(path)
        # One connection: SQLite has one writer at a time, and so tasks queue here, in order, and
        # not in its busy loop.
        self.writer = _engine(url, "BEGIN IMMEDIATE", pool_size=1, busy_timeout_s=busy_timeout_s)
        self.readers = _engine(url, "BEGIN", pool_size=_READERS, busy_timeout_s=busy_timeout_s)
        quick = create_engine(
            url.set(drivername="sqlite"),
            connect_args={"isolation_level": None, "timeout": busy_timeout_s},
            pool_size=1,
            max_overflow=0,
            hide_parameters=True,
        )
        event.listen(quick, "connect", _read_only)
        self._short = ShortReads(quick)
        self._version = FileVersion(path)

    @classmethod
    async def open(cls, url: URL, busy_timeout_s: float) -> SqliteBackend:
        """Make the file and its folder where there is none. Raises DatabaseError."""
        path = sqlite_path(url)
        try:
            await asyncio.to_thread(_make_file, path, busy_timeout_s)
        except OSError as error:
            raise DatabaseError(f"{path}: cannot be made: {error.strerror}") from error
        except sqlite3.Error as error:
            raise DatabaseError(f"the database failed: {error}") from error
        return cls(path, url.set(drivername="sqlite+aiosqlite"), busy_timeout_s)

    async def migrate(self) -> None:
        """Bring the tables to this version, in one transaction, while others wait.

        Raises DBAPIError and alembic.util.CommandError.
        """
        async with self.writer.begin() as connection:
            await connection.run_sync(migrations.upgrade)

    async def rows(
        self, query: Select[Any], parameters: Mapping[str, Any] | None
    ) -> Sequence[Row[Any]]:
        """All rows of one query; raises DBAPIError.

        A query alone is a transaction of its own. The driver goes to its thread for each step of a
        read (ten times for one query), which costs many times the read: here it goes once at most.
        """
        return await self._short.rows(query, parameters)

    def version(self) -> int | None:
        """A number that is another one after each commit; None where the file does not tell it."""
        return self._version.read()

    async def dispose(self) -> None:
        """Close all connections."""
        self._version.close()
        for engine in (self.readers, self.writer):
            await engine.dispose()
        await self._short.close()

    def conflict(self, error: DBAPIError) -> bool:
        """Never: BEGIN IMMEDIATE has writers wait for each other, and none is undone."""
        return False

    def words(self, error: DBAPIError) -> str:
        """What the driver says, which holds no parameters."""
        return str(error.orig)


def _read_only(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA query_only=ON").close()


def sqlite_path(url: URL) -> Path:
    """Path of an sqlite URL; raises DatabaseError where it names none."""
    if not url.database or url.database == ":memory:" or url.query:
        raise DatabaseError(
            f"database.url: {url.render_as_string(hide_password=True)} cannot be used; "
            "write sqlite:/// and a path, such as sqlite:///var/tell.db"
        )
    return Path(url.database)


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
