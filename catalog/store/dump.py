"""All rows of the database as lines of JSON, and back: the form of a backup.

It is the same for SQLite and MariaDB, so that what was saved on one can be restored on the other.
The first line names the version of the tables, then comes a line for each table with its columns
and a line for each row of it, parents before children, and the last line counts them:

    {"format": "tell-database", "version": 1, "revision": "0003", "taken_at": "2026-..."}
    {"table": "movies", "columns": ["id", "environment", ...]}
    [1, "prod", ...]
    {"end": {"movies": 1, ...}}
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.errors import DatabaseNotEmptyError, DumpError, DumpVersionError
from catalog.instants import parse_instant

_FORMAT = "tell-database"
_VERSION = 1
_VERSION_TABLE = "alembic_version"
# Who holds a lease now says nothing of tomorrow.
_LEFT_OUT = frozenset({_VERSION_TABLE, "leases"})
# Rows that a new database has too.
_ALWAYS_THERE = frozenset({"event_sequence"})
_INSERT_ROWS = 500


@dataclass(frozen=True, slots=True)
class Header:
    """The first line: the version of the tables (Alembic), and when they were read."""

    revision: str
    taken_at: datetime


async def dump(connection: AsyncConnection, taken_at: datetime) -> AsyncIterator[bytes]:
    """Yield the lines. *connection* must see one moment of the database (`Database.read`).

    Raises DBAPIError.
    """
    tables = await connection.run_sync(_tables)
    revision = await connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    yield _line(
        {
            "format": _FORMAT,
            "version": _VERSION,
            "revision": revision,
            "taken_at": taken_at.isoformat(),
        }
    )
    counts = {}
    for table in tables:
        yield _line({"table": table.name, "columns": [column.name for column in table.columns]})
        counts[table.name] = 0
        # By the primary key: the same rows give the same lines.
        rows = await connection.stream(sa.select(table).order_by(*list(table.columns)[:2]))
        async for row in rows:
            counts[table.name] += 1
            yield _line(list(row))
    yield _line({"end": counts})


def read_header(lines: Iterator[bytes]) -> Header:
    """Read the first line; raises DumpError, DumpVersionError."""
    first = _parse(next(lines, b""))
    if not isinstance(first, dict) or first.get("format") != _FORMAT:
        raise DumpError("it does not begin as a dump of Tell's database does")
    if first.get("version") != _VERSION:
        raise DumpVersionError(f"its form has version {first.get('version')}, and we read 1")
    try:
        return Header(str(first["revision"]), parse_instant(first["taken_at"]))
    except (KeyError, TypeError, ValueError) as error:
        raise DumpError("its first line is not complete") from error


async def load(connection: AsyncConnection, lines: Iterator[bytes]) -> dict[str, int]:
    """Put the rows of a dump, without its header, in the place of all that the tables hold.

    The tables must be of the dump's revision. All in the caller's transaction: an error leaves
    nothing changed. Returns the number of rows of each table; raises DumpError, DBAPIError.
    """
    tables = {table.name: table for table in await connection.run_sync(_tables)}
    for table in reversed(tables.values()):
        await connection.execute(sa.delete(table))
    counts: dict[str, int] = {}
    name, columns, rows = "", list[str](), list[dict[str, Any]]()
    expected: object = None
    for line in lines:
        parsed = _parse(line)
        if isinstance(parsed, list) and name:
            if len(parsed) != len(columns):
                raise DumpError(f"a row of {name} has {len(parsed)} values")
            rows.append(dict(zip(columns, parsed, strict=True)))
            counts[name] += 1
            if len(rows) == _INSERT_ROWS:
                await _insert(connection, tables[name], rows)
                rows = []
            continue
        if rows:
            await _insert(connection, tables[name], rows)
            rows = []
        if not isinstance(parsed, dict):
            raise DumpError("a row stands before its table")
        if "end" in parsed:
            expected = parsed["end"]
            break
        name, columns = _table_line(parsed, tables)
        counts[name] = 0
    # To the very end: where it was packed, that is where a check sum stands.
    if any(True for _ in lines):
        raise DumpError("it goes on after its last line")
    if expected != counts:
        raise DumpError("it ends early: the last line, which counts the rows, does not fit")
    return counts


async def check_empty(connection: AsyncConnection) -> None:
    """Raise DatabaseNotEmptyError where any table has rows that a new database has not."""
    for table in await connection.run_sync(_tables):
        if table.name in _ALWAYS_THERE:
            continue
        if (await connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1))).first():
            raise DatabaseNotEmptyError(table.name)


async def skip_events(connection: AsyncConnection, by: int) -> None:
    """Leave out *by* numbers of events.

    After a restore the numbers since the backup would be given a second time, and an app that
    asks for what came after the last one it knows would miss the new ones (Last-Event-ID).
    """
    await connection.execute(
        sa.text("UPDATE event_sequence SET last = last + :skipped"), {"skipped": by}
    )


def _tables(connection: sa.Connection) -> list[sa.TableClause]:
    """The tables as they are, whatever their version, parents before children.

    Without types: what the driver gives is what is kept, and a decimal would be no JSON. The
    columns of the primary key come first.
    """
    metadata = sa.MetaData()
    metadata.reflect(connection)
    return [
        sa.table(table.name, *(sa.column(name) for name in _columns(table)))
        for table in metadata.sorted_tables
        if table.name not in _LEFT_OUT
    ]


def _columns(table: sa.Table) -> list[str]:
    key = [column.name for column in table.primary_key]
    return key + [column.name for column in table.columns if column.name not in key]


def _table_line(parsed: dict[str, Any], tables: dict[str, sa.TableClause]) -> tuple[str, list[str]]:
    name, columns = parsed.get("table"), parsed.get("columns")
    if name not in tables or not isinstance(columns, list):
        raise DumpError(f"it has a table {str(name)[:40]!r} that this version of Tell has not")
    unknown = [column for column in columns if column not in tables[name].columns]
    if unknown:
        raise DumpError(f"it has a column {name}.{str(unknown[0])[:40]} that is unknown")
    return name, columns


async def _insert(
    connection: AsyncConnection, table: sa.TableClause, rows: list[dict[str, Any]]
) -> None:
    try:
        await connection.execute(sa.insert(table), rows)
    except (IntegrityError, DataError):
        # The server's words would quote the row.
        raise DumpError(f"rows of {table.name} do not fit this database") from None


def _line(value: object) -> bytes:
    # NaN is no JSON, and no measurement either.
    return json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    ).encode() + (b"\n")


def _parse(line: bytes) -> object:
    try:
        return json.loads(line)
    except ValueError as error:
        raise DumpError("a line of it is not JSON: it is cut off or damaged") from error
