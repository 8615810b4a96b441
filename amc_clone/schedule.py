"""Drawing up a cinema's day. Pure: the same day, theater and seed give the same screenings."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from amc_clone.chain import House
from amc_clone.identifiers import seeded_showtime_id
from amc_clone.localday import local_instant
from amc_clone.models import Movie

_FRIDAY, _SATURDAY = 4, 5
# Ticket times stand on five minutes. A step of UTC is one of local time too: no zone of today
# is off by less than fifteen minutes.
_STEP = timedelta(minutes=5)
_TURNOVER_MIN = (20, 35)
_PREVIEWS_MIN = (18, 22)
# Auditoriums begin one after the other: one ticket counter, one projectionist.
_FIRST_SCREENING = time(10, 0)
_STAGGER = timedelta(minutes=15)
_LAST_START = timedelta(hours=12, minutes=30)
_LAST_START_WEEKEND = timedelta(hours=14, minutes=15)


@dataclass(frozen=True, slots=True)
class PlannedScreening:
    """A screening of the plan; instants are aware and in UTC."""

    showtime_id: str
    movie_id: str
    auditorium_number: str
    previews_start: datetime
    movie_start: datetime
    credits_end: datetime


def plan_day(
    house: House, films: Sequence[Movie], day: date, seed: int
) -> Iterator[PlannedScreening]:
    """The screenings of one cinema's day (04:00 to 04:00 local time) in each programmed auditorium.

    The first begins at 10:00 to 12:45, the last by 22:30, on Fridays and Saturdays by 00:15.
    Between two lies the turnover, so that none overlap.
    """
    # A string seeds alike in every process; hash() would not.
    dice = random.Random(f"{seed}/{house.theater.place_id}/{day}")  # noqa: S311  (a schedule is no secret)
    opens = local_instant(day, _FIRST_SCREENING, house.theater.time_zone)
    weekend = day.weekday() in {_FRIDAY, _SATURDAY}
    last_start = opens + (_LAST_START_WEEKEND if weekend else _LAST_START)
    programmes = _programmes(house, films, dice)
    for index, number in enumerate(house.programmed_numbers):
        previews_start = opens + index * _STAGGER
        turn = 0
        while previews_start <= last_start:
            movie = programmes[index][turn % len(programmes[index])]
            movie_start = previews_start + timedelta(minutes=dice.randint(*_PREVIEWS_MIN))
            credits_end = movie_start + timedelta(seconds=movie.running_time_s)
            yield PlannedScreening(
                showtime_id=seeded_showtime_id(
                    house.theater.place_id, number, previews_start.isoformat()
                ),
                movie_id=movie.movie_id,
                auditorium_number=number,
                previews_start=previews_start,
                movie_start=movie_start,
                credits_end=credits_end,
            )
            turnover = timedelta(minutes=dice.randint(*_TURNOVER_MIN))
            previews_start = _on_a_step(credits_end + turnover)
            turn += 1


def _programmes(
    house: House, films: Sequence[Movie], dice: random.Random
) -> list[tuple[Movie, ...]]:
    """For each auditorium the films that take turns in it: one, or two.

    The films are dealt like cards, so that a large theater shows each of them every day.
    """
    deck: list[Movie] = []
    programmes = []
    for _ in house.programmed_numbers:
        hand: list[Movie] = []
        for _ in range(dice.choice((1, 2, 2))):
            if not deck:
                deck = dice.sample(list(films), len(films))
            card = deck.pop()
            if card not in hand:
                hand.append(card)
        programmes.append(tuple(hand))
    return programmes


def _on_a_step(instant: datetime) -> datetime:
    """*instant*, or the next one that stands on five minutes."""
    since = instant - datetime.min.replace(tzinfo=UTC)
    return instant + (-since % _STEP)
