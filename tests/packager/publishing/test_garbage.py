"""Which versions stay, at every age and number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from media.track import Current, Earlier
from packager.publishing.garbage import kept_versions
from packager.settings import GarbageSection

NOW = datetime(2027, 3, 5, 19, 30, tzinfo=UTC)


def _current(*ages_days: float, version: str | None = "c" * 16) -> Current:
    """A pointer whose earlier versions, named 0, 1, 2 …, ceased to be current that long ago."""
    return Current(
        version=version,
        earlier=tuple(
            Earlier(version=f"{number:016x}", until=NOW - timedelta(days=age))
            for number, age in enumerate(ages_days)
        ),
    )


@pytest.mark.parametrize(
    ("ages_days", "kept"),
    [
        ((), ""),
        ((1, 20, 30, 40), "01"),  # two by number
        ((1, 2, 3, 4), "0123"),  # more than two, but listeners may be on all of them
        ((100,), ""),  # too old
        ((90,), "0"),  # exactly as old as is kept
        ((13.9, 14.1, 14.1), "01"),
        ((-5,), "0"),  # a clock that was set back never makes a version old
    ],
)
def test_what_is_kept(ages_days: tuple[float, ...], kept: str) -> None:
    """By number and age, and never less than listeners need."""
    settings = GarbageSection(keep_versions=2, keep_days=90.0, listening_days=14.0)
    expected = {f"{int(digit):016x}" for digit in kept} | {"c" * 16}
    assert kept_versions(_current(*ages_days), NOW, settings) == expected


def test_of_a_withdrawn_track_nothing_is_current() -> None:
    """Its last version stays for those who listen, and then goes."""
    settings = GarbageSection(keep_versions=0, keep_days=0.0, listening_days=14.0)
    withdrawn = _current(1, version=None)
    assert kept_versions(withdrawn, NOW, settings) == {"0" * 16}
    assert kept_versions(withdrawn, NOW + timedelta(days=14), settings) == frozenset()
