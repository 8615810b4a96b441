"""Some rows in every table, made from the schema itself, and all rows as they stand."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from catalog.store.database import Database
from catalog.store.schema import leases, metadata

# What its own restore leaves as it is, or raises by itself.
_APART = frozenset({leases.name, "event_sequence"})


async def fill(database: Database, rows: int = 3) -> None:
    """Put *rows* rows into every table; each points at rows of the tables that it refers to."""
    async with database.write() as connection:
        for table in metadata.sorted_tables:
            if table.name not in _APART:
                values = [_row(table, number) for number in range(1, rows + 1)]
                await connection.execute(sa.insert(_untyped(table)), values)


async def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, but for leases and the event sequence."""
    found = {}
    async with database.read() as connection:
        for table in metadata.sorted_tables:
            if table.name not in _APART:
                rows = await connection.execute(sa.select(_untyped(table)))
                found[table.name] = sorted(tuple(row) for row in rows)
    return found


def _untyped(table: sa.Table) -> sa.TableClause:
    return sa.table(table.name, *(sa.column(column.name) for column in table.columns))


def _row(table: sa.Table, number: int) -> dict[str, Any]:
    return {column.name: _value(column, number) for column in table.columns}


def _value(column: sa.Column[Any], number: int) -> object:
    if column.foreign_keys or column.name == "id":
        return _text(number) if isinstance(column.type, sa.String) else number
    if column.nullable and number == 1:
        return None
    if isinstance(column.type, sa.Double):
        return number / 3
    if isinstance(column.type, sa.String) and not isinstance(column.type, sa.Enum):
        return _text(number)
    if isinstance(column.type, sa.Enum):
        return column.type.enums[0]
    return number * 10**8 if isinstance(column.type, sa.Integer) else number * 10**15 + 1


def _text(number: int) -> str:
    # What JSON, SQL and a terminal each treat in a special way, within sixteen characters.
    return f"{number}\"\\'%☂\n\té"
