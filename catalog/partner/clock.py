"""The partner's clock against Tell's: what exchanges tell of it, and what its stamps mean. Pure.

Everything that the partner stamps is by its own clock, which may be minutes off and may be set
right at any moment. The four timestamps of an exchange give the difference within a bound
(RFC 5905 8); of a burst the lowest round trip counts; the bound grows with age, since clocks drift.
Offsets are the partner's clock minus Tell's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

# A crystal is off by up to 50 ppm, and a clock that is being slewed by up to as much again.
DRIFT_PPM = 100
# An instant of ours is cut off below the microsecond, on each of the two readings.
_PRECISION_US = 2
_MICROSECOND = timedelta(microseconds=1)
# A partner whose clock is further off can sign nothing that Tell takes (Standard Webhooks 1.0, 5
# minutes of tolerance): so much is known of a clock that nobody has measured.
_UNMEASURED_US = 300_000_000


@dataclass(frozen=True, slots=True)
class Exchange:
    """The four timestamps (RFC 5905 8: T1 to T4): T1 and T4 by Tell's clock, the others by its.

    The partner's own readings are right within `partner_bound_us`, as it says itself.
    """

    sent_at: datetime
    partner_received_at: datetime
    partner_sent_at: datetime
    received_at: datetime
    partner_bound_us: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What one exchange says: at `at` the offset was `offset_us`, within `bound_us`."""

    at: datetime
    offset_us: int
    bound_us: int
    round_trip_us: int


@dataclass(frozen=True, slots=True)
class Before:
    """The clock before somebody set it, after `set_after` and not later than `set_before`."""

    offset_us: int
    bound_us: int
    set_after: datetime
    set_before: datetime


@dataclass(frozen=True, slots=True)
class PartnerClock:
    """What is known of a partner's clock.

    `offset_us` was right within `bound_us` at `measured_at`, and exchanges agreed with it until
    `confirmed_at`, at least.
    """

    offset_us: int
    bound_us: int
    measured_at: datetime
    confirmed_at: datetime
    before: Before | None = None

    def bound_at(self, now: datetime) -> int:
        """The bound at *now*, in microseconds: what the clocks may have drifted is added."""
        age_us = abs(now - self.measured_at) // _MICROSECOND
        return self.bound_us + age_us * DRIFT_PPM // 1_000_000


@dataclass(frozen=True, slots=True)
class Correction:
    """What to subtract from the partner's stamps, and how far off the result may be."""

    offset_us: int
    bound_us: int

    @property
    def bound_ms(self) -> int:
        """The bound in whole milliseconds, rounded up: a bound is never understated."""
        return -(-self.bound_us // 1000)

    def on_our_clock(self, stamp: datetime) -> datetime:
        """The partner's *stamp* by Tell's clock."""
        return stamp - self.offset_us * _MICROSECOND


UNMEASURED = Correction(0, _UNMEASURED_US)


def read(exchange: Exchange) -> Reading:
    """What one exchange says (RFC 5905 8: theta and delta).

    The bound is half the round trip, as all of it may have been spent in one direction, and what
    the partner says of its own readings.
    """
    there = exchange.partner_received_at - exchange.sent_at
    back = exchange.partner_sent_at - exchange.received_at
    round_trip = (exchange.received_at - exchange.sent_at) - (
        exchange.partner_sent_at - exchange.partner_received_at
    )
    round_trip_us = max(0, round_trip // _MICROSECOND)
    return Reading(
        at=exchange.received_at,
        offset_us=(there + back) // (2 * _MICROSECOND),
        bound_us=-(-round_trip_us // 2) + exchange.partner_bound_us + _PRECISION_US,
        round_trip_us=round_trip_us,
    )


def best(readings: Iterable[Reading]) -> Reading | None:
    """The reading of a burst with the lowest round trip; None of none."""
    return min(readings, key=lambda reading: reading.round_trip_us, default=None)


def observe(known: PartnerClock | None, reading: Reading) -> PartnerClock:
    """What is known after *reading*.

    Two measurements that exclude each other mean that one of the two clocks was set: what was known
    is kept as `before`, for stamps that are older.
    """
    if known is None:
        return PartnerClock(reading.offset_us, reading.bound_us, reading.at, reading.at)
    aged_us = known.bound_at(reading.at)
    if abs(reading.offset_us - known.offset_us) > aged_us + reading.bound_us:
        before = Before(
            known.offset_us, known.bound_at(known.confirmed_at), known.confirmed_at, reading.at
        )
        return PartnerClock(reading.offset_us, reading.bound_us, reading.at, reading.at, before)
    if reading.bound_us <= aged_us:
        return PartnerClock(
            reading.offset_us, reading.bound_us, reading.at, reading.at, known.before
        )
    return replace(known, confirmed_at=reading.at)


def correction_of_plan(clock: PartnerClock | None, now: datetime) -> Correction:
    """For instants to come: the cinema will begin by its clock as that runs now."""
    if clock is None:
        return UNMEASURED
    return _correction(clock.offset_us, clock.bound_at(now))


def correction_of_stamp(clock: PartnerClock | None, stamp: datetime, now: datetime) -> Correction:
    """For what the partner's clock said when something happened, at *stamp* by that clock.

    Where the clock was set meanwhile, a stamp belongs to the reading under which it lies on the
    right side of that. One that fits both (a clock that was set back says the same times twice) is
    read by the present clock, within a bound that covers the other.
    """
    present = correction_of_plan(clock, now)
    if clock is None or clock.before is None:
        return present
    before = clock.before
    earlier = _correction(before.offset_us, before.bound_us)
    slack = timedelta(microseconds=present.bound_us + earlier.bound_us)
    fits_present = present.on_our_clock(stamp) >= before.set_after - slack
    fits_earlier = earlier.on_our_clock(stamp) <= before.set_before + slack
    if fits_present and not fits_earlier:
        return present
    if fits_earlier and not fits_present:
        return earlier
    apart_us = abs(present.offset_us - earlier.offset_us)
    return Correction(present.offset_us, apart_us + max(present.bound_us, earlier.bound_us))


def _correction(offset_us: int, bound_us: int) -> Correction:
    # Two clocks that may well agree are taken to: a schedule of full minutes then stays one, and
    # does not tremble with each measurement.
    if abs(offset_us) <= bound_us:
        return Correction(0, bound_us + abs(offset_us))
    return Correction(offset_us, bound_us)
