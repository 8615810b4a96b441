"""One theater's day: what a page about it shows, for buyers and for the operator alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from amc_clone.errors import TheaterNotFoundError
from amc_clone.localday import cinema_day, day_bounds
from amc_clone.models import Screening, Theater
from amc_clone.screenings import ListingQuery, Screenings

# More than any theater can show in a day.
_DAY_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class TheaterDay:
    """What is shown in *theater* on *day*; *today* is the theater's own."""

    theaters: Sequence[Theater]
    theater: Theater
    today: date
    day: date
    screenings: Sequence[Screening]


async def theater_day(
    screenings: Screenings, place_id: str | None, day: date | None, now: datetime
) -> TheaterDay:
    """The day of *place_id* (None: the first theater by name); without *day* the one of *now*.

    Raises TheaterNotFoundError.
    """
    theaters = await screenings.theaters()
    theater = next((each for each in theaters if place_id in {each.place_id, None}), None)
    if theater is None:
        raise TheaterNotFoundError(place_id or "yet; seed the database first")
    today = cinema_day(now, theater.time_zone)
    chosen = day or today
    starts_from, starts_before = day_bounds(chosen, theater.time_zone)
    found, _ = await screenings.listing(
        ListingQuery(theater.place_id, starts_from=starts_from, starts_before=starts_before),
        _DAY_LIMIT,
    )
    return TheaterDay(theaters, theater, today, chosen, found)
