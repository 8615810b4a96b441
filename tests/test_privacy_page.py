"""docs/privacy.md names every column of the database, and none that is gone."""

from __future__ import annotations

import re
from pathlib import Path

from catalog.store.schema import metadata
from gateway.settings import EventsSettings, PrivacySettings

PAGE = Path(__file__).parent.parent / "docs/privacy.md"


def test_every_column_is_explained() -> None:
    """A column that nobody has told people about, or one that is gone or told twice, fails."""
    rows = [line.split("|")[1] for line in PAGE.read_text("utf-8").splitlines() if "|" in line]
    told = re.findall(r"`(\w+\.\w+)`", "\n".join(rows))
    stored = [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
    ]
    assert sorted(told) == sorted(stored)


def test_the_times_are_the_defaults() -> None:
    """The days that the page states are those that Tell keeps where nobody says otherwise."""
    page = PAGE.read_text("utf-8")
    privacy = PrivacySettings()
    assert f"`privacy.keep_tickets_days` ({privacy.keep_tickets_days})" in page
    assert f"`privacy.keep_messages_days` ({privacy.keep_messages_days})" in page
    assert EventsSettings().keep_s == 86_400
    assert "`events.keep_s` (a day)" in page
