"""The partner's clock: what exchanges tell of it, and what its stamps mean."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from catalog.partner.clock import (
    UNMEASURED,
    Exchange,
    PartnerClock,
    Reading,
    best,
    correction_of_plan,
    correction_of_stamp,
    observe,
    read,
)
from tests.catalog.samples import EVENING

MS = timedelta(milliseconds=1)


def exchange(
    at: datetime = EVENING,
    *,
    there_ms: float = 10,
    back_ms: float = 10,
    inside_ms: float = 1,
    offset: timedelta = timedelta(0),
    bound_us: int = 0,
) -> Exchange:
    """An exchange with a partner whose clock is *offset* ahead."""
    came = at + there_ms * MS
    left = came + inside_ms * MS
    return Exchange(at, came + offset, left + offset, left + back_ms * MS, bound_us)


def clock_of(offset: timedelta, at: datetime = EVENING, bound_us: int = 1000) -> PartnerClock:
    """A clock that was measured once."""
    return observe(None, Reading(at, offset // timedelta(microseconds=1), bound_us, 2 * bound_us))


def test_an_even_way_gives_the_offset_and_half_the_round_trip_as_its_bound() -> None:
    """What the partner says of its own readings is added."""
    reading = read(exchange(offset=timedelta(seconds=90), bound_us=7))
    assert reading.offset_us == 90_000_000
    assert reading.round_trip_us == 20_000
    assert reading.bound_us == 10_000 + 7 + 2


@given(
    there=st.floats(0, 5000),
    back=st.floats(0, 5000),
    inside=st.floats(0, 1000),
    offset=st.integers(-400_000_000, 400_000_000),
)
def test_the_true_offset_lies_within_the_bound(
    there: float, back: float, inside: float, offset: int
) -> None:
    """However uneven the way: the stated bound holds."""
    reading = read(
        exchange(
            there_ms=there,
            back_ms=back,
            inside_ms=inside,
            offset=timedelta(microseconds=offset),
        )
    )
    assert abs(reading.offset_us - offset) <= reading.bound_us


def test_the_lowest_round_trip_of_a_burst_counts() -> None:
    """And nothing of nothing."""
    readings = [read(exchange(there_ms=there)) for there in (40, 3, 25)]
    assert best(readings) is readings[1]
    assert best([]) is None


def test_the_bound_grows_with_age_until_a_worse_exchange_is_the_better_one() -> None:
    """100 ppm of drift are 360 ms in an hour."""
    clock = clock_of(timedelta(0), bound_us=1000)
    hour = EVENING + timedelta(hours=1)
    assert clock.bound_at(hour) == 361_000
    soon = observe(clock, Reading(EVENING + timedelta(seconds=30), 0, 9000, 18_000))
    assert (soon.bound_us, soon.confirmed_at) == (1000, EVENING + timedelta(seconds=30))
    assert observe(clock, Reading(hour, 0, 9000, 18_000)).bound_us == 9000


def test_measurements_that_exclude_each_other_mean_that_a_clock_was_set() -> None:
    """What was known is kept, with the time in which it happened."""
    clock = clock_of(timedelta(seconds=90))
    later = EVENING + timedelta(seconds=30)
    right = observe(clock, Reading(later, 0, 1000, 2000))
    assert right.offset_us == 0
    assert right.before is not None
    assert right.before.offset_us == 90_000_000
    assert (right.before.set_after, right.before.set_before) == (EVENING, later)


def test_clocks_that_may_agree_are_taken_to() -> None:
    """A schedule of full minutes stays one; the bound covers what was not applied."""
    correction = correction_of_plan(clock_of(timedelta(microseconds=800), bound_us=1000), EVENING)
    assert (correction.offset_us, correction.bound_us, correction.bound_ms) == (0, 1800, 2)


def test_a_clock_that_nobody_measured_is_within_what_signatures_tolerate() -> None:
    """Five minutes: whoever is further off can sign nothing that Tell takes."""
    assert correction_of_plan(None, EVENING) is UNMEASURED
    assert UNMEASURED.bound_ms == 300_000


@given(
    before=st.integers(-240, 240),
    after=st.integers(-240, 240),
    stamped=st.integers(-600, 600),
    set_at=st.integers(1, 29),
)
def test_a_stamp_is_right_within_its_bound_though_the_clock_was_set(
    before: int, after: int, stamped: int, set_at: int
) -> None:
    """Whenever it was stamped and whenever the clock was set: the stated bound holds."""
    clock = observe(
        clock_of(timedelta(seconds=before)),
        Reading(EVENING + timedelta(seconds=30), after * 1_000_000, 1000, 2000),
    )
    truly = EVENING + timedelta(seconds=stamped)
    offset_s = before if truly < EVENING + timedelta(seconds=set_at) else after
    stamp = truly + timedelta(seconds=offset_s)
    correction = correction_of_stamp(clock, stamp, EVENING + timedelta(seconds=30))
    error = abs(correction.on_our_clock(stamp) - truly)
    assert error <= timedelta(microseconds=correction.bound_us)


def test_a_stamp_of_before_is_read_by_the_clock_of_before() -> None:
    """And that precisely, where the clock was set forward or long ago."""
    clock = observe(
        clock_of(timedelta(seconds=90)),
        Reading(EVENING + timedelta(seconds=30), 0, 1000, 2000),
    )
    stamped = EVENING - timedelta(minutes=5)
    correction = correction_of_stamp(
        clock, stamped + timedelta(seconds=90), EVENING + timedelta(minutes=10)
    )
    assert correction.on_our_clock(stamped + timedelta(seconds=90)) == stamped
    assert correction.bound_ms == 1
