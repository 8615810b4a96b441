"""Putting a screening on: the operator's way to add one at exact times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from amc_clone.database import Database
from amc_clone.errors import (
    AuditoriumNotFoundError,
    InvalidBodyError,
    InvalidField,
    MovieNotFoundError,
    ScreeningOverlapError,
)
from amc_clone.identifiers import new_showtime_id
from amc_clone.models import Screening, ScreeningStatus
from amc_clone.schema import auditoriums, movies, screenings, theaters
from amc_clone.screenings import screening_by_showtime


@dataclass(frozen=True, slots=True)
class NewScreening:
    """What the operator wants. Without `credits_end` the movie's running time gives it."""

    movie_id: str
    place_id: str
    auditorium_number: str
    previews_start: datetime
    movie_start: datetime
    credits_end: datetime | None
    movie_start_bound_ms: int


class Programming:
    """Writes screenings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, wanted: NewScreening) -> Screening:
        """Put the screening on and return it.

        Raises MovieNotFoundError, AuditoriumNotFoundError, ScreeningOverlapError, and
        InvalidBodyError when the instants are out of order.
        """
        showtime_id = new_showtime_id()
        async with self._database.write() as connection:
            movie = (
                await connection.execute(
                    select(movies.c.id, movies.c.running_time_s).where(
                        movies.c.movie_id == wanted.movie_id
                    )
                )
            ).one_or_none()
            if movie is None:
                raise MovieNotFoundError(wanted.movie_id)
            auditorium_id = await auditorium_row(
                connection, wanted.place_id, wanted.auditorium_number
            )
            credits_end = wanted.credits_end or wanted.movie_start + timedelta(
                seconds=movie.running_time_s
            )
            if not wanted.previews_start <= wanted.movie_start < credits_end:
                raise InvalidBodyError(
                    (
                        InvalidField(
                            "movie_start",
                            "must not lie before previews_start and must lie before credits_end",
                        ),
                    )
                )
            await require_free(connection, auditorium_id, wanted.previews_start, credits_end)
            await connection.execute(
                screenings.insert().values(
                    showtime_id=showtime_id,
                    movie_id=movie.id,
                    auditorium_id=auditorium_id,
                    previews_start=wanted.previews_start,
                    movie_start=wanted.movie_start,
                    credits_end=credits_end,
                    status=ScreeningStatus.SCHEDULED,
                    revision=1,
                    movie_start_bound_ms=wanted.movie_start_bound_ms,
                )
            )
            return await screening_by_showtime(connection, showtime_id)


async def auditorium_row(connection: AsyncConnection, place_id: str, auditorium_number: str) -> int:
    """Row of a theater's auditorium; raises AuditoriumNotFoundError."""
    found = await connection.scalar(
        select(auditoriums.c.id)
        .join(theaters, auditoriums.c.location_id == theaters.c.id)
        .where(
            theaters.c.place_id == place_id,
            auditoriums.c.number == auditorium_number,
        )
    )
    if found is None:
        raise AuditoriumNotFoundError(place_id, auditorium_number)
    return int(found)


async def require_free(
    connection: AsyncConnection, auditorium_id: int, previews_start: datetime, credits_end: datetime
) -> None:
    """Raise ScreeningOverlapError where something is on there then."""
    taken = (
        await connection.execute(
            select(screenings.c.showtime_id, screenings.c.previews_start, screenings.c.credits_end)
            .where(
                screenings.c.auditorium_id == auditorium_id,
                screenings.c.status != ScreeningStatus.CANCELLED,
                screenings.c.previews_start < credits_end,
                screenings.c.credits_end > previews_start,
            )
            .limit(1)
        )
    ).one_or_none()
    if taken is not None:
        raise ScreeningOverlapError(taken.showtime_id, taken.previews_start, taken.credits_end)
