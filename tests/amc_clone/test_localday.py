"""A cinema's day ends at 04:00 on its own clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amc_clone.chain import HOUSES
from amc_clone.localday import cinema_day, day_bounds, local_instant

ZONES = sorted({house.theater.time_zone for house in HOUSES})


def test_a_late_show_belongs_to_the_evening_before() -> None:
    """00:15 and 03:59 on Sunday are Saturday's; 04:00 is Sunday's."""
    saturday, sunday = date(2027, 3, 6), date(2027, 3, 7)
    zone = "America/New_York"
    assert cinema_day(local_instant(sunday, time(0, 15), zone), zone) == saturday
    assert cinema_day(local_instant(sunday, time(3, 59), zone), zone) == saturday
    assert cinema_day(local_instant(sunday, time(4, 0), zone), zone) == sunday


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2027, 3, 13), "America/New_York", 23),
        (date(2027, 11, 6), "America/Chicago", 25),
        (date(2027, 3, 13), "America/Phoenix", 24),
        (date(2027, 6, 1), "America/Denver", 24),
    ],
)
def test_a_day_in_which_the_clock_changes_is_shorter_or_longer(
    day: date, zone: str, hours: int
) -> None:
    """The clock changes at 02:00 on Sunday, which is Saturday's night for a cinema."""
    begins, ends = day_bounds(day, zone)
    assert ends - begins == timedelta(hours=hours)
    assert begins.tzinfo is UTC


@given(
    minutes=st.integers(0, 60 * 365 * 24 * 60),
    zone=st.sampled_from(ZONES),
)
def test_every_instant_lies_within_its_day(minutes: int, zone: str) -> None:
    """The two functions agree at every instant of every year, changes of the clock included."""
    instant = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    begins, ends = day_bounds(cinema_day(instant, zone), zone)
    assert begins <= instant < ends
