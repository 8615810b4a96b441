"""Filling the database: the chain, its films and two weeks of screenings around now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from amc_clone.chain import HOUSES, House
from amc_clone.database import Database, insert_row
from amc_clone.films import FILMS
from amc_clone.localday import cinema_day
from amc_clone.models import SCHEDULE_BOUND_MS, ScreeningStatus
from amc_clone.schedule import PlannedScreening, plan_day
from amc_clone.schema import auditoriums, movies, screenings, theaters

DEFAULT_SEED = 1895
_DAYS = range(-7, 8)


@dataclass(frozen=True, slots=True)
class Seeded:
    """How many rows a seeding added."""

    theaters: int
    movies: int
    screenings: int


async def seed(database: Database, now: datetime, seed_number: int = DEFAULT_SEED) -> Seeded:
    """Add what is missing: a week back, today and a week on, by each theater's own day.

    The same day and *seed_number* give the same screenings; seeding again adds only new days, and
    nothing in an auditorium that is taken by then.
    """
    async with database.write() as connection:
        movie_ids, new_movies = await _add_movies(connection)
        new_theaters, new_screenings = 0, 0
        for house in HOUSES:
            theater_id, is_new = await _add_theater(connection, house)
            new_theaters += is_new
            auditorium_ids = await _add_auditoriums(connection, house, theater_id)
            rows = [
                {
                    "showtime_id": planned.showtime_id,
                    "movie_id": movie_ids[planned.movie_id],
                    "auditorium_id": auditorium_ids[planned.auditorium_number],
                    "previews_start": planned.previews_start,
                    "movie_start": planned.movie_start,
                    "credits_end": planned.credits_end,
                    "status": ScreeningStatus.SCHEDULED,
                    "revision": 1,
                    "movie_start_bound_ms": SCHEDULE_BOUND_MS,
                }
                for planned in _plan(house, now, seed_number)
            ]
            rows = await _without_taken(connection, rows)
            if rows:
                await connection.execute(screenings.insert(), rows)
            new_screenings += len(rows)
    return Seeded(new_theaters, new_movies, new_screenings)


def _plan(house: House, now: datetime, seed_number: int) -> Iterator[PlannedScreening]:
    today = cinema_day(now, house.theater.time_zone)
    for days in _DAYS:
        yield from plan_day(house, FILMS, today + timedelta(days=days), seed_number)


async def _add_movies(connection: AsyncConnection) -> tuple[dict[str, int], int]:
    known = set(await connection.scalars(select(movies.c.movie_id)))
    new = [movie for movie in FILMS if movie.movie_id not in known]
    for movie in new:
        await insert_row(
            connection,
            movies,
            movie_id=movie.movie_id,
            title=movie.title,
            year=movie.year,
            running_time_s=movie.running_time_s,
            poster_path=movie.poster_path,
            audio_description_path=movie.audio_description_path,
        )
    rows = await connection.execute(select(movies.c.movie_id, movies.c.id))
    return {row.movie_id: row.id for row in rows}, len(new)


async def _add_theater(connection: AsyncConnection, house: House) -> tuple[int, bool]:
    known = await connection.scalar(
        select(theaters.c.id).where(theaters.c.place_id == house.theater.place_id)
    )
    if known is not None:
        return int(known), False
    added = await insert_row(
        connection,
        theaters,
        place_id=house.theater.place_id,
        name=house.theater.name,
        city=house.theater.city,
        time_zone=house.theater.time_zone,
    )
    return added, True


async def _add_auditoriums(
    connection: AsyncConnection, house: House, theater_id: int
) -> dict[str, int]:
    of_theater = select(auditoriums.c.number, auditoriums.c.id).where(
        auditoriums.c.location_id == theater_id
    )
    known = {row.number for row in await connection.execute(of_theater)}
    for number in house.auditorium_numbers:
        if number not in known:
            await insert_row(connection, auditoriums, location_id=theater_id, number=number)
    return {row.number: row.id for row in await connection.execute(of_theater)}


async def _without_taken(
    connection: AsyncConnection, rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """*rows* without those that are there, or whose auditorium is taken at their time."""
    known = set(
        await connection.scalars(
            select(screenings.c.showtime_id).where(
                screenings.c.showtime_id.in_([row["showtime_id"] for row in rows])
            )
        )
    )
    query = select(
        screenings.c.auditorium_id, screenings.c.previews_start, screenings.c.credits_end
    ).where(
        screenings.c.auditorium_id.in_({row["auditorium_id"] for row in rows}),
        screenings.c.credits_end > min(row["previews_start"] for row in rows),
    )
    taken: dict[int, list[tuple[datetime, datetime]]] = {}
    for row in await connection.execute(query):
        taken.setdefault(row.auditorium_id, []).append((row.previews_start, row.credits_end))
    return [
        row
        for row in rows
        if row["showtime_id"] not in known
        and not any(
            begins < row["credits_end"] and ends > row["previews_start"]
            for begins, ends in taken.get(row["auditorium_id"], ())
        )
    ]
