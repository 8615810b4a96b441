"""When a screening is looked at again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.models import ScreeningStatus
from catalog.screenings.polling_schedule import PollIntervals, next_poll_at
from tests.catalog.samples import EVENING
from tests.catalog.screenings.test_effective import TOLD

INTERVALS = PollIntervals()


@pytest.mark.parametrize(
    ("before_previews", "wait"),
    [
        (timedelta(days=9), timedelta(days=1)),
        # No later than the moment at which it gets tighter.
        (timedelta(days=1, hours=3), timedelta(hours=3)),
        (timedelta(hours=20), timedelta(hours=1)),
        (timedelta(hours=1, minutes=10), timedelta(minutes=10)),
        (timedelta(minutes=40), timedelta(minutes=2)),
        (timedelta(seconds=50), timedelta(seconds=50)),
        (timedelta(0), timedelta(seconds=5)),
        (timedelta(minutes=-15), timedelta(seconds=5)),
        (timedelta(minutes=-49), timedelta(seconds=5)),
        # A cinema that does not tell of starts is not asked by the second for ever.
        (timedelta(minutes=-51), timedelta(minutes=1)),
    ],
)
def test_it_tightens_near_the_film(before_previews: timedelta, wait: timedelta) -> None:
    """A day before: hours; an hour before: minutes; from previews on: seconds."""
    now = TOLD.previews_start - before_previews
    assert next_poll_at(TOLD, now, INTERVALS) == now + wait


def test_a_start_that_is_settled_is_looked_at_now_and_then() -> None:
    """It may still be cancelled, or started again."""
    started = replace(TOLD, status=ScreeningStatus.STARTED)
    now = TOLD.movie_start + timedelta(seconds=5)
    assert next_poll_at(started, now, INTERVALS) == now + timedelta(minutes=10)


def test_a_cancelled_one_may_be_called_on_again() -> None:
    """Nobody waits for that by the second."""
    cancelled = replace(TOLD, status=ScreeningStatus.CANCELLED)
    now = TOLD.previews_start + timedelta(minutes=1)
    assert next_poll_at(cancelled, now, INTERVALS) == now + timedelta(minutes=10)


def test_what_is_over_is_not_looked_at_any_more() -> None:
    """From the end of the credits on."""
    assert next_poll_at(TOLD, TOLD.credits_end, INTERVALS) is None


@given(
    seconds=st.integers(-9000, 200_000),
    fraction=st.floats(0, 1),
    status=st.sampled_from(list(ScreeningStatus)),
)
def test_the_next_look_is_ahead_and_within_a_day(
    seconds: int, fraction: float, status: ScreeningStatus
) -> None:
    """Whatever the chance: never now, never after the end, never a day without one."""
    now: datetime = EVENING - timedelta(seconds=seconds)
    at = next_poll_at(replace(TOLD, status=status), now, INTERVALS, fraction)
    if now >= TOLD.credits_end:
        assert at is None
    else:
        assert at is not None
        assert now < at <= min(TOLD.credits_end, now + timedelta(days=1))
