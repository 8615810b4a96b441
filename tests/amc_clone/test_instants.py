"""Instants in and out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from amc_clone.instants import from_us, rfc3339, to_us


@given(st.datetimes(timezones=st.just(UTC)))
def test_microseconds_keep_an_instant_exactly(instant: datetime) -> None:
    """Every microsecond of every year comes back."""
    assert from_us(to_us(instant)) == instant


def test_an_instant_is_written_in_utc_with_z() -> None:
    """Another offset becomes UTC, and a fraction appears only where there is one."""
    eastern = timezone(timedelta(hours=-5))
    assert rfc3339(datetime(2027, 3, 5, 19, 30, tzinfo=eastern)) == "2027-03-06T00:30:00Z"
    assert rfc3339(datetime(2027, 3, 5, 0, 0, 0, 7, tzinfo=UTC)) == "2027-03-05T00:00:00.000007Z"
