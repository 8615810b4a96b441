"""Steps of a migration that can be run again: each looks first at what is there already.

MariaDB and MySQL commit each statement that changes a table. A migration that was killed half-way
has therefore made some of its steps, and the version still says that none was made: the next start
runs it once more from the top.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

# SQLite numbers rows by itself only where the key's type is exactly INTEGER.
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Compared byte by byte, and in an engine with transactions.
OPTIONS: dict[str, Any] = {
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mysql_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
}


def create_table(name: str, *parts: sa.schema.SchemaItem) -> None:
    """Create the table with OPTIONS, unless it is there."""
    if not _look().has_table(name):
        op.create_table(name, *parts, **OPTIONS)


def drop_table(name: str) -> None:
    """Drop the table, unless it is gone."""
    if _look().has_table(name):
        op.drop_table(name)


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Add the column, unless it is there."""
    if column.name not in _columns(table):
        op.add_column(table, column)


def drop_column(table: str, name: str) -> None:
    """Drop the column, unless it is gone. Indexes on it go first, by drop_index."""
    if name in _columns(table):
        op.drop_column(table, name)


def create_index(name: str, table: str, columns: list[str]) -> None:
    """Create the index, unless it is there."""
    if name not in _indexes(table):
        op.create_index(name, table, columns)


def drop_index(name: str, table: str) -> None:
    """Drop the index, unless it is gone."""
    if name in _indexes(table):
        op.drop_index(name, table)


def _look() -> sa.Inspector:
    # A new one each time: an inspector remembers what it has seen.
    return sa.inspect(op.get_bind())


def _columns(table: str) -> set[str]:
    return {str(column["name"]) for column in _look().get_columns(table)}


def _indexes(table: str) -> set[str]:
    return {str(index["name"]) for index in _look().get_indexes(table)}
