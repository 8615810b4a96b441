from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.instants import parse_instant


@given(
    st.datetimes(
        min_value=datetime(2, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
        max_value=datetime(9998, 1, 1),  # noqa: DTZ001
        timezones=st.builds(
            timezone, st.builds(timedelta, minutes=st.integers(min_value=-1439, max_value=1439))
        ),
    )
)
def test_every_instant_survives_its_text(instant: datetime) -> None:
    """An RFC 3339 text of any offset gives the same instant, in UTC."""
    read = parse_instant(instant.isoformat())
    assert read == instant
    assert read.tzinfo is UTC


@pytest.mark.parametrize("text", ["2026-03-06t19:30:00z", "2026-03-06 19:30:00.000Z"])
def test_small_letters_and_a_space_are_rfc_3339_too(text: str) -> None:
    """RFC 3339 5.6 allows lower case and a space between date and time."""
    assert parse_instant(text) == datetime(2026, 3, 6, 19, 30, tzinfo=UTC)


def test_digits_beyond_microseconds_are_dropped() -> None:
    """Nanoseconds are cut, not rounded into the next second."""
    assert parse_instant("2026-03-06T19:30:00.999999999Z").microsecond == 999_999


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1772825400",
        "2026-03-06",
        "2026-03-06T19:30:00",
        "2026-03-06T19:30Z",
        "2026-W10-5T19:30:00Z",
        "2026-03-06T19:30:60Z",
        "2026-02-30T19:30:00Z",
        "2026-03-06T19:30:00+25:00",
        "2026-03-06T19:30:00Z ",
        "2026-03-06T19:30:00,5Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "0000-01-01T00:00:00Z",
        "٢٠٢٦-03-06T19:30:00Z",
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    """Naive, numeric, incomplete and impossible texts raise ValueError and nothing else."""
    with pytest.raises(ValueError, match=r"."):
        parse_instant(text)
