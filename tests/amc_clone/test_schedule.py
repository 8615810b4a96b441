"""The drawn-up days look like a cinema's."""

from __future__ import annotations

from datetime import date, time, timedelta
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amc_clone.chain import HOUSES, House
from amc_clone.films import FILMS
from amc_clone.localday import cinema_day, day_bounds
from amc_clone.schedule import PlannedScreening, plan_day

RUNNING_TIME = {movie.movie_id: timedelta(seconds=movie.running_time_s) for movie in FILMS}
days = st.dates(date(2020, 1, 1), date(2040, 12, 31))
houses = st.sampled_from(HOUSES)


def plan(house: House, day: date, seed: int = 1) -> list[PlannedScreening]:
    """The day's screenings by auditorium and time."""
    planned = plan_day(house, FILMS, day, seed)
    return sorted(planned, key=lambda each: (each.auditorium_number, each.previews_start))


@settings(max_examples=60, deadline=None)
@given(house=houses, day=days)
def test_no_two_overlap_and_the_turnover_lies_between(house: House, day: date) -> None:
    """Between two screenings of an auditorium lie 20 minutes at least, the next day's included."""
    both = sorted(
        plan(house, day) + plan(house, day + timedelta(days=1)),
        key=lambda each: (each.auditorium_number, each.previews_start),
    )
    for _, group in groupby(both, key=lambda each: each.auditorium_number):
        for earlier, later in pairwise(group):
            assert later.previews_start - earlier.credits_end >= timedelta(minutes=20)


@settings(max_examples=60, deadline=None)
@given(house=houses, day=days)
def test_each_screening_is_a_cinemas(house: House, day: date) -> None:
    """Previews take about 20 minutes, the film its running time, and all of it is in its day."""
    begins, ends = day_bounds(day, house.theater.time_zone)
    zone = ZoneInfo(house.theater.time_zone)
    for each in plan(house, day):
        assert timedelta(minutes=18) <= each.movie_start - each.previews_start
        assert each.movie_start - each.previews_start <= timedelta(minutes=22)
        assert each.credits_end - each.movie_start == RUNNING_TIME[each.movie_id]
        assert begins <= each.previews_start
        assert each.credits_end <= ends
        assert cinema_day(each.previews_start, house.theater.time_zone) == day
        local = each.previews_start.astimezone(zone)
        assert local.minute % 5 == 0
        assert local.time() >= time(10, 0) or local.time() <= time(0, 15)


def test_the_same_day_and_seed_give_the_same_plan() -> None:
    """Another seed gives another one."""
    house, day = HOUSES[0], date(2027, 3, 6)
    assert plan(house, day) == plan(house, day)
    assert plan(house, day) != plan(house, day, seed=2)


def test_a_friday_goes_on_past_midnight() -> None:
    """The weekend's last screenings begin later than those of a Monday."""
    friday, monday = date(2027, 3, 5), date(2027, 3, 8)

    def last(day: date) -> timedelta:
        begins, _ = day_bounds(day, HOUSES[0].theater.time_zone)
        return max(each.previews_start for each in plan(HOUSES[0], day)) - begins

    assert last(friday) > timedelta(hours=18, minutes=30) >= last(monday)


@pytest.mark.parametrize("house", HOUSES, ids=lambda house: house.theater.place_id)
def test_some_auditoriums_are_kept_free(house: House) -> None:
    """A demo can always add a screening somewhere."""
    used = {each.auditorium_number for each in plan(house, date(2027, 3, 6))}
    assert used == set(house.programmed_numbers)
    assert set(house.auditorium_numbers) - used
    assert 4 <= house.auditoriums <= 12
