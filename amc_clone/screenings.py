"""Finding screenings: the details that Tell asks for, and the listings that people see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from amc_clone.database import Database
from amc_clone.errors import ScreeningNotFoundError, TheaterNotFoundError
from amc_clone.models import Screening, ScreeningStatus, Theater
from amc_clone.rows import screening_of, select_screenings, theater_of
from amc_clone.schema import auditoriums, movies, screenings, theaters
from amc_clone.timeline import nearest


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last screening of a page of a listing; the next page begins behind it."""

    previews_start: datetime
    id: int


@dataclass(frozen=True, slots=True)
class ListingQuery:
    """Which screenings to list; None stands for all.

    `ends_after` and `starts_before` keep what is on, at least partly, between the two;
    `starts_from` and `starts_before` keep what begins between them.
    """

    place_id: str | None = None
    movie_id: str | None = None
    auditorium_number: str | None = None
    starts_from: datetime | None = None
    starts_before: datetime | None = None
    ends_after: datetime | None = None


class Screenings:
    """Reads screenings and theaters."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def details(
        self, movie_id: str, place_id: str, auditorium_number: str, showtime_id: str | None
    ) -> Screening:
        """The screening that Tell means.

        With *showtime_id* that very screening, if it is of this movie at this place; one that was
        moved to another auditorium is found by its old number too. Without it the one nearest to
        now (timeline.nearest) among those not cancelled; among the cancelled if there is no other.
        Raises ScreeningNotFoundError.
        """
        wanted = f"of {movie_id} at {place_id} in auditorium {auditorium_number}"
        of_movie = select_screenings().where(
            movies.c.movie_id == movie_id, theaters.c.place_id == place_id
        )
        async with self._database.read() as connection:
            if showtime_id is not None:
                found = await _first(
                    connection, of_movie.where(screenings.c.showtime_id == showtime_id)
                )
                wanted = f"{showtime_id} of {movie_id} at {place_id}"
            else:
                found = await self._nearest(
                    connection, of_movie.where(auditoriums.c.number == auditorium_number)
                )
        if found is None:
            raise ScreeningNotFoundError(wanted)
        return found

    async def _nearest(self, connection: AsyncConnection, query: Select[Any]) -> Screening | None:
        now = self._clock()
        cancelled = screenings.c.status == ScreeningStatus.CANCELLED
        for candidates in (query.where(~cancelled), query.where(cancelled)):
            last_over = await _first(
                connection,
                candidates.where(screenings.c.credits_end <= now).order_by(
                    screenings.c.credits_end.desc()
                ),
            )
            first_not_over = await _first(
                connection,
                candidates.where(screenings.c.credits_end > now).order_by(
                    screenings.c.previews_start
                ),
            )
            found = nearest(last_over, first_not_over, now)
            if found is not None:
                return found
        return None

    async def by_showtime(self, showtime_id: str) -> Screening:
        """The screening of this id; raises ScreeningNotFoundError."""
        async with self._database.read() as connection:
            return await screening_by_showtime(connection, showtime_id)

    async def listing(
        self, query: ListingQuery, limit: int, after: Cursor | None = None
    ) -> tuple[list[Screening], Cursor | None]:
        """At most *limit* screenings by previews_start, and the cursor of the next page if any."""
        statement = _listing_statement(query).order_by(screenings.c.previews_start, screenings.c.id)
        if after is not None:
            statement = statement.where(
                or_(
                    screenings.c.previews_start > after.previews_start,
                    and_(
                        screenings.c.previews_start == after.previews_start,
                        screenings.c.id > after.id,
                    ),
                )
            )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement.limit(limit + 1))).all()
        found = [screening_of(row) for row in rows[:limit]]
        more = len(rows) > limit
        return found, Cursor(found[-1].previews_start, found[-1].id) if more else None

    async def theaters(self) -> list[Theater]:
        """All theaters by name."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(theaters).order_by(theaters.c.name))
        return [theater_of(row) for row in rows]

    async def theater(self, place_id: str) -> Theater:
        """The theater of this id; raises TheaterNotFoundError."""
        async with self._database.read() as connection:
            row = (
                await connection.execute(select(theaters).where(theaters.c.place_id == place_id))
            ).one_or_none()
        if row is None:
            raise TheaterNotFoundError(place_id)
        return theater_of(row)


async def screening_by_showtime(connection: AsyncConnection, showtime_id: str) -> Screening:
    """The screening of this id, within a transaction; raises ScreeningNotFoundError."""
    found = await _first(
        connection, select_screenings().where(screenings.c.showtime_id == showtime_id)
    )
    if found is None:
        raise ScreeningNotFoundError(showtime_id)
    return found


async def _first(connection: AsyncConnection, query: Select[Any]) -> Screening | None:
    row = (await connection.execute(query.limit(1))).one_or_none()
    return None if row is None else screening_of(row)


def _listing_statement(query: ListingQuery) -> Select[Any]:
    statement = select_screenings()
    if query.place_id is not None:
        statement = statement.where(theaters.c.place_id == query.place_id)
    if query.movie_id is not None:
        statement = statement.where(movies.c.movie_id == query.movie_id)
    if query.auditorium_number is not None:
        statement = statement.where(auditoriums.c.number == query.auditorium_number)
    if query.starts_from is not None:
        statement = statement.where(screenings.c.previews_start >= query.starts_from)
    if query.starts_before is not None:
        statement = statement.where(screenings.c.previews_start < query.starts_before)
    if query.ends_after is not None:
        statement = statement.where(screenings.c.credits_end > query.ends_after)
    return statement
