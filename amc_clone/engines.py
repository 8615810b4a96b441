"""How each kind of database is opened: an SQLite file, or a MariaDB or MySQL server by its URL."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from amc_clone.errors import DatabaseError

# `amc-clone seed` may write while the service runs: wait for it rather than fail.
_BUSY_TIMEOUT_S = 10
_CONNECT_TIMEOUT_S = 5
_MIGRATION_WAIT_S = 60
# An option of a connection that will write.
WRITES = "amc_clone_writes"
# In the messages of these, what stands in quotes is a name; in any other it may be a value.
_NAMING = frozenset({1044, 1045, 1049, 1146, 1205, 1213, 1406, 1451, 1452, 2003, 2006, 2013})
_QUOTED = re.compile(r"'.*'", re.DOTALL)


def open_engine(database: str | Path) -> tuple[str, AsyncEngine]:
    """What messages call *database*, and its engine; a path means an SQLite file, which is made.

    Raises DatabaseError.
    """
    place = str(database)
    try:
        url = make_url(place) if "://" in place else URL.create("sqlite", database=place)
    except ArgumentError as error:
        raise DatabaseError("--database: neither a path nor a URL") from error
    if url.drivername == "sqlite" and url.database:
        return url.database, _sqlite(Path(url.database))
    shown = url.render_as_string(hide_password=True)
    if url.drivername in {"mariadb", "mysql"} and url.database and url.username:
        return shown, _mariadb(url)
    raise DatabaseError(
        f"--database: {shown} cannot be used; write a path or mariadb://user@host:3306/name"
    )


async def lock_migrations(connection: AsyncConnection) -> None:
    """Be the only one to change the tables, until this connection is closed."""
    if connection.dialect.name == "sqlite":
        return  # BEGIN IMMEDIATE is that lock.
    got = await connection.scalar(
        text("SELECT GET_LOCK(CONCAT('amc-clone ', MD5(DATABASE())), :wait_s)"),
        {"wait_s": _MIGRATION_WAIT_S},
    )
    if got != 1:
        raise DatabaseError("another AMC-clone changes the tables; start again when it has ended")


async def unlock_migrations(connection: AsyncConnection) -> None:
    """Let the next one look."""
    if connection.dialect.name != "sqlite":
        await connection.execute(text("SELECT RELEASE_LOCK(CONCAT('amc-clone ', MD5(DATABASE())))"))


def reason(error: SQLAlchemyError) -> str:
    """What went wrong, without the statement and its values: a listen_url is among them."""
    original = getattr(error, "orig", None)
    arguments: tuple[object, ...] = getattr(original, "args", ())
    if len(arguments) == 2 and isinstance(arguments[0], int):
        code, message = arguments[0], str(arguments[1])
        return f"{message if code in _NAMING else _QUOTED.sub('...', message)} (error {code})"
    return type(error).__name__ if original is None else str(original)


def _sqlite(path: Path) -> AsyncEngine:
    try:
        _make_file(path)
    except OSError as error:
        raise DatabaseError(f"{path}: cannot be created: {error.strerror}") from error
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", hide_parameters=True)

    def connected(dbapi_connection: Any, _record: object) -> None:
        # The driver would begin transactions by itself and too late: `begun` does it.
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        # With WAL, NORMAL may lose the last commits at a power cut; no sold ticket may be lost.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_S * 1000}")
        cursor.close()

    def begun(connection: Connection) -> None:
        # A deferred transaction that turns into a writer can fail with "database is locked".
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "begin", begun)
    return engine


def _make_file(path: Path) -> None:
    """For its owner's eyes, since it holds listen links. SQLite keeps the mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=True)


def _mariadb(url: URL) -> AsyncEngine:
    # The driver logs warnings, such as that names of primary keys are not kept; whatever matters is
    # an error under TRADITIONAL.
    logging.getLogger("asyncmy").setLevel(logging.ERROR)
    arguments: dict[str, Any] = {"connect_timeout": _CONNECT_TIMEOUT_S}
    if url.password is not None:
        # The driver would send a text as Latin-1.
        arguments["password"] = url.password.encode()
    engine = create_async_engine(
        url.set(drivername="mysql+asyncmy").update_query_dict({"charset": "utf8mb4"}),
        connect_args=arguments,
        pool_pre_ping=True,
        hide_parameters=True,
    )

    def connected(dbapi_connection: Any, _record: object) -> None:
        cursor = dbapi_connection.cursor()
        # Cut texts and unknown characters are errors. A writer sees what was committed before.
        cursor.execute(
            f"SET SESSION sql_mode='TRADITIONAL', time_zone='+00:00', "
            f"innodb_lock_wait_timeout={_BUSY_TIMEOUT_S}"
        )
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        cursor.close()

    def begun(connection: Connection) -> None:
        if not connection.get_execution_options().get(WRITES, False):
            # One moment of the database for whoever reads.
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")

    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "begin", begun)
    return engine
