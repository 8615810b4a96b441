from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import Table

from catalog.store.schema import metadata

PAGE = (Path(__file__).parents[3] / "docs" / "database.md").read_text("utf-8")
DRAWING = PAGE.split("## The tables")[1].split("`a ──< b`")[0]


def documented(table: str) -> str:
    """The columns of a table as the page has them; a test fails where it has no such row."""
    (row,) = re.findall(rf"^\| `{table}` \| [^|]+ \| ([^|]+) \|$", PAGE, re.MULTILINE)
    return str(row)


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_every_table_stands_in_the_documentation(table: Table) -> None:
    """It is drawn, and listed with all its columns in order and where they point."""
    assert re.search(rf"\b{table.name}\b", DRAWING), "not drawn"
    expected = []
    for column in table.columns:
        targets = [key.column.table.name for key in column.foreign_keys]
        expected.append(f"`{column.name}`" + "".join(f" → {name}" for name in targets))
    assert documented(table.name) == ", ".join(expected)


def test_the_documentation_has_no_other_table() -> None:
    """A table that was dropped is dropped from the page too."""
    listed = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted(table.name for table in metadata.sorted_tables)
