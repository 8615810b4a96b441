"""What GET /screening/details answers: the screening that is meant, or all that may be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import or_, select

from amc_clone.database import Database
from amc_clone.errors import (
    AuditoriumNotFoundError,
    MovieNotFoundError,
    TheaterNotFoundError,
)
from amc_clone.models import Screening
from amc_clone.rows import screening_of, select_screenings
from amc_clone.schema import auditoriums, movies, screenings, theaters
from amc_clone.screenings import Screenings

# Who asks wants to know whether there is more than one.
_MOST = 50


class Details:
    """Looks screenings up for Tell."""

    def __init__(
        self, database: Database, reads: Screenings, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._reads = reads
        self._clock = clock

    async def meant(
        self, movie_id: str, place_id: str, auditorium_number: str, showtime_id: str | None
    ) -> Screening:
        """The screening that is meant (Screenings.details says which).

        Raises TheaterNotFoundError, AuditoriumNotFoundError, MovieNotFoundError,
        ScreeningNotFoundError.
        """
        await self._check_places(movie_id, place_id, auditorium_number)
        return await self._reads.details(movie_id, place_id, auditorium_number, showtime_id)

    async def possible(
        self, movie_id: str, place_id: str, auditorium_number: str, sold_at: datetime | None
    ) -> list[Screening]:
        """The screenings that a ticket may be for that was sold at *sold_at* (None: now).

        Those of the movie in the auditorium whose credits had not ended then, cancelled ones too;
        and those elsewhere in the theater that were changed since they were put on, as they may
        have been moved out of the auditorium. By previews_start, at most 50.
        """
        wanted = select_screenings().where(
            movies.c.movie_id == movie_id,
            theaters.c.place_id == place_id,
            or_(auditoriums.c.number == auditorium_number, screenings.c.revision > 1),
            screenings.c.credits_end > (sold_at or self._clock()),
        )
        query = wanted.order_by(screenings.c.previews_start, screenings.c.id).limit(_MOST)
        async with self._database.read() as connection:
            return [screening_of(row) for row in await connection.execute(query)]

    async def _check_places(self, movie_id: str, place_id: str, auditorium_number: str) -> None:
        """Say what is wrong where the question names what the chain does not have."""
        theater = select(theaters.c.id).where(theaters.c.place_id == place_id)
        auditorium = select(auditoriums.c.id).where(
            auditoriums.c.location_id.in_(theater), auditoriums.c.number == auditorium_number
        )
        movie = select(movies.c.id).where(movies.c.movie_id == movie_id)
        async with self._database.read() as connection:
            if await connection.scalar(theater) is None:
                raise TheaterNotFoundError(place_id)
            if await connection.scalar(auditorium) is None:
                raise AuditoriumNotFoundError(place_id, auditorium_number)
            if await connection.scalar(movie) is None:
                raise MovieNotFoundError(movie_id)
