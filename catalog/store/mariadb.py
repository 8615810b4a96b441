"""A MariaDB or MySQL server as Tell uses it, by asyncmy: several writers, and perhaps a replica.

Writers run at READ COMMITTED: they see what was committed and lock rows rather than the gaps
between them, which spares most deadlocks. What two of them insert at once, a unique key decides
(`Database.run`). Readers run at REPEATABLE READ on a consistent snapshot: one moment of it all.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import URL, Connection, Row, Select, event, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from catalog import migrations
from catalog.errors import DatabaseError

_WRITERS = 5
_READERS = 8
_SHORT_READERS = 4
_CONNECT_TIMEOUT_S = 5
_POOL_TIMEOUT_S = 10
_MIGRATION_WAIT_S = 120

# Unknown characters, cut texts and impossible dates are errors, never guesses.
_SQL_MODE = "TRADITIONAL"
_WRITING = "READ COMMITTED"
_READING = "REPEATABLE READ"
# SQLAlchemy's begin is no statement for MariaDB: this one is.
_BEGIN_READ = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"

_DUPLICATE_KEY = 1062
_DEADLOCK = 1213
# Under innodb_snapshot_isolation: a row was changed after the snapshot.
_CHANGED_SINCE_READ = 1020
_CONFLICTS = frozenset({_DUPLICATE_KEY, _DEADLOCK, _CHANGED_SINCE_READ})
_ACCESS_DENIED = 1045
_NO_DATABASE = 1049
# In the messages of these, what stands in quotes is the name of a user, a table or a column.
# In any other it may be a value, since the driver writes parameters into the statement.
_NAMING = frozenset(
    {1044, _ACCESS_DENIED, 1142, 1146, 1205, _DEADLOCK, 1406, 1451, 1452, 1792, 2003, 2006, 2013}
)
_QUOTED = re.compile(r"'.*'", re.DOTALL)
_QUERY_KEYS = frozenset({"unix_socket", "ssl_ca", "ssl_cert", "ssl_key"})


class MariaBackend:
    """The engines of one server and of its replica; made by `open`."""

    def __init__(self, place: str, url: URL, replica_url: URL | None, lock_wait_s: float) -> None:
        self.place = place
        self._url = url
        self._lock_wait_s = max(1, round(lock_wait_s))
        self.writer = self._engine(url, _WRITING, pool_size=_WRITERS)
        self.readers = self._engine(url, _READING, pool_size=_READERS)
        # A query alone is a transaction of its own: it needs no statement before and after it.
        self._short = self._engine(url, _READING, pool_size=_SHORT_READERS, autocommit=True)
        self.replica = (
            None if replica_url is None else self._engine(replica_url, _READING, pool_size=_READERS)
        )

    @classmethod
    async def open(cls, url: URL, replica_url: URL | None, lock_wait_s: float) -> MariaBackend:
        """Reach the server, and refuse one that would lose what was answered for.

        The replica is not reached before it is read. Raises DatabaseError.
        """
        # The driver logs warnings, such as that names of primary keys are not kept; what matters is
        # an error under _SQL_MODE.
        logging.getLogger("asyncmy").setLevel(logging.ERROR)
        backend = cls(
            url.render_as_string(hide_password=True),
            _driver_url(url, "database.url"),
            None if replica_url is None else _driver_url(replica_url, "database.replica_url"),
            lock_wait_s,
        )
        try:
            async with backend.readers.connect() as connection:
                await _check_durability(connection)
        except DBAPIError as error:
            await backend.dispose()
            raise DatabaseError(f"{backend.place}: {backend.words(error)}") from None
        except DatabaseError:
            await backend.dispose()
            raise
        return backend

    async def migrate(self) -> None:
        """Bring the tables to this version, while other replicas of Tell wait.

        Each statement that changes a table is a transaction of its own here, so a migration that
        was killed goes on at the next start (catalog/migrations/steps.py). Raises DBAPIError,
        DatabaseError and alembic.util.CommandError.
        """
        # A connection of its own: a large table may take longer than the others may wait.
        engine = self._engine(self._url, _WRITING, pool_size=None)
        try:
            async with engine.begin() as connection:
                # GET_LOCK's names are the server's, so ours holds the database; it ends with the
                # connection (https://mariadb.com/kb/en/get_lock/).
                got = await connection.scalar(
                    text("SELECT GET_LOCK(CONCAT('tell ', MD5(DATABASE())), :wait_s)"),
                    {"wait_s": _MIGRATION_WAIT_S},
                )
                if got != 1:
                    raise DatabaseError(
                        f"{self.place}: another Tell has been changing the tables for "
                        f"{_MIGRATION_WAIT_S} s; start again when it has ended"
                    )
                await connection.run_sync(migrations.upgrade)
        finally:
            await engine.dispose()

    async def rows(
        self, query: Select[Any], parameters: Mapping[str, Any] | None
    ) -> Sequence[Row[Any]]:
        """All rows of one query; raises DBAPIError."""
        async with self._short.connect() as connection:
            found: Sequence[Row[Any]] = (await connection.execute(query, parameters)).all()
        return found

    def version(self) -> None:
        """Not known without asking the server."""

    def conflict(self, error: DBAPIError) -> bool:
        """Whether another writer was in the way: the whole transaction may be tried again."""
        return _code(error) in _CONFLICTS

    def words(self, error: DBAPIError) -> str:
        """What the server says, without the values that its messages may quote."""
        code = _code(error)
        arguments: tuple[object, ...] = getattr(error.orig, "args", ())
        message = str(arguments[-1]) if arguments else type(error.orig).__name__
        if code == _NO_DATABASE:
            return (
                "there is no such database; make it: CREATE DATABASE name CHARACTER SET utf8mb4 "
                "COLLATE utf8mb4_bin"
            )
        if code == _ACCESS_DENIED:
            message += "; the password comes from the URL or from password_file"
        if code not in _NAMING:
            message = _QUOTED.sub("'...'", message)
        return message if code is None else f"{message} (error {code})"

    async def dispose(self) -> None:
        """Close all connections."""
        for engine in (self.readers, self._short, self.writer, self.replica):
            if engine is not None:
                await engine.dispose()

    def _engine(
        self, url: URL, isolation: str, *, pool_size: int | None, autocommit: bool = False
    ) -> AsyncEngine:
        # None: one connection that is closed after use, and is waited for as long as it takes.
        pool: dict[str, Any] = (
            {"poolclass": NullPool}
            if pool_size is None
            else {
                "pool_size": pool_size,
                "max_overflow": 0,
                "pool_timeout": _POOL_TIMEOUT_S,
                # A server that was restarted, or a proxy that ends idle connections, costs no
                # listener a request.
                "pool_pre_ping": True,
            }
        )
        if autocommit:
            pool |= {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}
        arguments: dict[str, Any] = {"connect_timeout": _CONNECT_TIMEOUT_S}
        if url.password is not None:
            # The driver would send a text as Latin-1, which knows few of the characters.
            arguments["password"] = url.password.encode()
        engine = create_async_engine(
            url,
            connect_args=arguments,
            # Parameters hold device nonces, which do not belong in a log.
            hide_parameters=True,
            **pool,
        )
        session = (
            f"SET SESSION sql_mode='{_SQL_MODE}', time_zone='+00:00', "
            f"innodb_lock_wait_timeout={self._lock_wait_s}, "
            f"lock_wait_timeout={_MIGRATION_WAIT_S}"
        )

        def connected(dbapi_connection: Any, _record: object) -> None:
            cursor = dbapi_connection.cursor()
            cursor.execute(session)
            cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {isolation}")
            cursor.close()

        def begun(connection: Connection) -> None:
            connection.exec_driver_sql(_BEGIN_READ)

        event.listen(engine.sync_engine, "connect", connected)
        if isolation == _READING and not autocommit:
            event.listen(engine.sync_engine, "begin", begun)
        return engine


def with_password(url: URL, password: str) -> URL:
    """*url* with the password of a file, where it has none of its own."""
    return url if url.password is not None or not password else url.set(password=password)


def _driver_url(url: URL, key: str) -> URL:
    """The URL for SQLAlchemy and asyncmy; raises DatabaseError with the mend."""
    unknown = sorted(set(url.query) - _QUERY_KEYS)
    if not url.database or not url.username or unknown:
        raise DatabaseError(
            f"{key}: {url.render_as_string(hide_password=True)} cannot be used; write "
            "mariadb://user@host:3306/name"
            + (f"; of what may follow a ?, {unknown[0]} is unknown" if unknown else "")
        )
    try:
        # asyncmy asks the server what it is, so that one driver name serves both.
        return url.set(drivername="mysql+asyncmy").update_query_dict({"charset": "utf8mb4"})
    except ArgumentError as error:
        raise DatabaseError(f"{key}: {error}") from error


async def _check_durability(connection: AsyncConnection) -> None:
    """Raise DatabaseError unless a commit is on the server's disk when it is answered."""
    found = (
        await connection.execute(
            text(
                "SELECT @@GLOBAL.innodb_flush_log_at_trx_commit AS flush_log, "
                "@@GLOBAL.log_bin AS binlog, @@GLOBAL.sync_binlog AS sync_binlog, "
                "@@GLOBAL.binlog_format AS binlog_format"
            )
        )
    ).one()
    mends = []
    # MariaDB's 3 writes as durably as 1.
    if found.flush_log not in {1, 3}:
        mends.append("innodb_flush_log_at_trx_commit = 1")
    # The binary log decides at a recovery what was committed, so it must be on the disk as well.
    if found.binlog and found.sync_binlog != 1:
        mends.append("sync_binlog = 1")
    # READ COMMITTED cannot be replicated by statements.
    if found.binlog and found.binlog_format == "STATEMENT":
        mends.append("binlog_format = ROW")
    if mends:
        raise DatabaseError(
            "the database server would lose purchases that were answered with 202; set "
            + ", ".join(mends)
            + " there (docs/database.md)"
        )


def _code(error: DBAPIError) -> int | None:
    arguments: tuple[object, ...] = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None
