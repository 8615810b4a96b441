"""The database: transactions that are durable when they have ended, on SQLite or MariaDB.

`Database` says what the rest of Tell may rely on; catalog/store/sqlite.py and
catalog/store/mariadb.py keep it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from random import SystemRandom
from typing import Any, Protocol, TypeVar

import structlog
from alembic.util import CommandError
from sqlalchemy import URL, Row, Select, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from catalog.errors import DatabaseError, WriteConflictError
from catalog.store.mariadb import MariaBackend, with_password
from catalog.store.sqlite import SqliteBackend, sqlite_path

log = structlog.get_logger()
T = TypeVar("T")

# How long another writer may hold what we wait for before we give up.
_BUSY_TIMEOUT_S = 5.0
# A transaction that takes longer has met a server that does not answer any more.
_LIMIT_S = 60.0
_ATTEMPTS = 8
_FIRST_PAUSE_S = 0.01
# A replica that failed is left alone for so long, since each try may cost a time-out.
_REPLICA_REST_S = 5.0
_RANDOM = SystemRandom()
_MARIADB_NAMES = frozenset({"mysql", "mariadb"})


class Backend(Protocol):
    """What a kind of database brings. `place` is its path or URL, without a password."""

    place: str
    writer: AsyncEngine
    readers: AsyncEngine
    replica: AsyncEngine | None

    async def migrate(self) -> None:
        """Bring the tables to this version; raises DBAPIError, DatabaseError, CommandError."""
        ...

    async def rows(
        self, query: Select[Any], parameters: Mapping[str, Any] | None
    ) -> Sequence[Row[Any]]:
        """All rows of one query, at one moment; raises DBAPIError."""
        ...

    def version(self) -> int | None:
        """A number that is another one after each commit, told at once; None: not known."""
        ...

    async def dispose(self) -> None:
        """Close all connections."""
        ...

    def conflict(self, error: DBAPIError) -> bool:
        """Whether another writer undid this transaction, which may be tried again in whole."""
        ...

    def words(self, error: DBAPIError) -> str:
        """What happened, without statement and parameters."""
        ...


class Database:
    """Connections to one database; made by `open`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._closed = False
        self._replica_rests_until = 0.0

    @classmethod
    async def open(
        cls,
        url: str,
        replica_url: str = "",
        *,
        password: str = "",
        busy_timeout_s: float = _BUSY_TIMEOUT_S,
    ) -> Database:
        """Connect to *url* and bring the tables to this version.

        `sqlite:///path` makes the file and its folder; `mariadb://` (or `mysql://`)
        `user@host:port/name` is an existing database, and *replica_url* a copy of it to read from.
        *password* is taken where a URL has none. Several processes may open one database at once:
        the first one migrates, the others wait. Raises DatabaseError.
        """
        backend = await _open_backend(url, replica_url, password, busy_timeout_s)
        database = cls(backend)
        try:
            await backend.migrate()
        except CommandError as error:
            await database.close()
            raise DatabaseError(
                f"{backend.place}: its tables are not of this version of Tell: {error}"
            ) from error
        except DBAPIError as error:
            await database.close()
            raise DatabaseError(f"the database failed: {backend.words(error)}") from None
        except DatabaseError:
            await database.close()
            raise
        return database

    def read(
        self, *, stale_ok: bool = False, limit_s: float | None = _LIMIT_S
    ) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection that sees one moment of the database and cannot change it.

        With *stale_ok* that moment may lie some seconds back: the replica is asked where there is
        one that answers. Without it the block sees all that was committed before. *limit_s* is how
        long the block may take. Raises DatabaseError.
        """
        if stale_ok and self._backend.replica is not None:
            return self._read_replica(self._backend.replica, limit_s)
        return self._transaction(self._backend.readers, limit_s)

    async def rows(
        self,
        query: Select[Any],
        parameters: Mapping[str, Any] | None = None,
        *,
        limit_s: float | None = _LIMIT_S,
    ) -> Sequence[Row[Any]]:
        """All rows of one query, which sees all that was committed before; raises DatabaseError.

        As a `read` around it, and cheaper; for reads that are short, since they may go one by one.
        """
        async with self._failures(limit_s):
            return await self._backend.rows(query, parameters)

    def version(self) -> int | None:
        """A number that is another one after each commit, of whoever it was.

        Told without waiting for anything, on the event loop's own thread; None where only a query
        can tell. So what was read after one look at it is still true at the next, if the number is
        the same.
        """
        return None if self._closed else self._backend.version()

    def write(
        self, *, limit_s: float | None = _LIMIT_S
    ) -> AbstractAsyncContextManager[AsyncConnection]:
        """One transaction of at most *limit_s*; durable once the block has ended without an error.

        On SQLite it is alone among writers. On MariaDB others write at the same time: lock what is
        read to be changed (`with_for_update`), and let a unique key decide what two insert. Raises
        DatabaseError, and then nothing was changed; WriteConflictError where the same block may
        succeed when it is run again, which `run` does.
        """
        return self._transaction(self._backend.writer, limit_s)

    async def run(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """One write transaction around *work*, from the beginning again after a conflict.

        *work* may be called several times: it must have no effect but on the database, and read
        again what it decides by. Raises DatabaseError; WriteConflictError after many conflicts.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with self.write() as connection:
                    return await work(connection)
            except WriteConflictError as error:
                if attempt == _ATTEMPTS:
                    raise
                log.info("write_conflict", attempt=attempt, error=str(error))
                # By chance, so that the two do not meet again.
                await asyncio.sleep(_RANDOM.uniform(0, _FIRST_PAUSE_S * 2**attempt))
        raise AssertionError("unreachable")

    async def ping(self) -> None:
        """Raise DatabaseError unless the database answers and has our tables."""
        async with self.read() as connection:
            await connection.execute(text("SELECT version_num FROM alembic_version"))

    async def close(self) -> None:
        """Close all connections; a second call does nothing."""
        self._closed = True
        await self._backend.dispose()

    @asynccontextmanager
    async def _read_replica(
        self, replica: AsyncEngine, limit_s: float | None
    ) -> AsyncIterator[AsyncConnection]:
        """The replica, or the primary where the replica cannot be reached."""
        now = asyncio.get_running_loop().time
        async with AsyncExitStack() as stack:
            connection: AsyncConnection | None = None
            if now() >= self._replica_rests_until:
                try:
                    reading = self._transaction(replica, limit_s)
                    connection = await stack.enter_async_context(reading)
                except DatabaseError as error:
                    self._replica_rests_until = now() + _REPLICA_REST_S
                    log.warning("replica_not_read", error=str(error))
            if connection is None:
                primary = self._transaction(self._backend.readers, limit_s)
                connection = await stack.enter_async_context(primary)
            yield connection

    @asynccontextmanager
    async def _transaction(
        self, engine: AsyncEngine, limit_s: float | None
    ) -> AsyncIterator[AsyncConnection]:
        async with self._failures(limit_s), engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def _failures(self, limit_s: float | None) -> AsyncIterator[None]:
        """Have what fails within told as a DatabaseError, a block that takes too long too."""
        if self._closed:
            raise DatabaseError("the database is closed")
        limit = asyncio.timeout(limit_s)
        before = _cancellations()
        try:
            async with limit:
                yield
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise DatabaseError(f"the database did not answer within {limit_s} s") from error
        except DBAPIError as error:
            if _cancellations() > before:
                # A driver may take the cancellation for a failure of its server.
                raise asyncio.CancelledError from None
            # The backend's words alone: SQLAlchemy would add the statement, and a server's message
            # quotes values.
            words = self._backend.words(error)
            if self._backend.conflict(error):
                raise WriteConflictError(f"another writer was first: {words}") from None
            raise DatabaseError(f"the database failed: {words}") from None
        except PoolTimeoutError as error:
            raise DatabaseError("the database is busy: no connection became free") from error
        if _cancellations() > before:
            # The driver connects by asyncio.wait_for, which before Python 3.12 forgets that its
            # caller is cancelled where the answer comes at the same moment (CPython issue 86296).
            # A worker that is being stopped would go on for ever.
            raise asyncio.CancelledError


def _cancellations() -> int:
    """How often the running task has been asked to end."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


async def _open_backend(
    url: str, replica_url: str, password: str, busy_timeout_s: float
) -> Backend:
    parsed = _parse(url, "database.url")
    replica = _parse(replica_url, "database.replica_url") if replica_url else None
    if parsed.drivername in _MARIADB_NAMES:
        if replica is not None and replica.drivername not in _MARIADB_NAMES:
            raise DatabaseError("database.replica_url: write mariadb://user@host:3306/name")
        return await MariaBackend.open(
            with_password(parsed, password),
            None if replica is None else with_password(replica, password),
            busy_timeout_s,
        )
    if parsed.drivername != "sqlite":
        raise DatabaseError(
            f"database.url: {parsed.render_as_string(hide_password=True)} cannot be used; "
            "write sqlite:/// and a path, such as sqlite:///var/tell.db, "
            "or mariadb://user@host:3306/name"
        )
    sqlite_path(parsed)
    if replica is not None:
        raise DatabaseError("database.replica_url: SQLite has no replica; leave it empty")
    return await SqliteBackend.open(parsed, busy_timeout_s)


def _parse(url: str, key: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise DatabaseError(
            f"{key} is not a URL; write sqlite:/// and a path, such as sqlite:///var/tell.db, "
            "or mariadb://user@host:3306/name"
        ) from error
