"""Reading the row of a screening: the partner's word, its clock and our operator's, made one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.models import Screening
from catalog.screenings.effective import OperatorStart, Seen, effective
from catalog.store.schema import auditoriums, movies, screenings, theaters

SCREENING_COLUMNS: tuple[Any, ...] = (
    screenings.c.environment,
    screenings.c.showtime_id,
    screenings.c.previews_start,
    screenings.c.movie_start,
    screenings.c.credits_end,
    screenings.c.status,
    screenings.c.revision,
    screenings.c.movie_start_bound_ms,
    screenings.c.movie_start_source,
    screenings.c.clock_bound_ms,
    screenings.c.operator_movie_start,
    screenings.c.operator_bound_ms,
)


def select_seen() -> Select[Any]:
    """What `seen_of` reads: screenings with their movie, auditorium and theater."""
    return (
        select(
            screenings.c.id.label("screening_row"),
            *SCREENING_COLUMNS,
            screenings.c.clock_offset_us,
            screenings.c.next_poll_at,
            movies.c.movie_id,
            movies.c.title,
            auditoriums.c.number,
            theaters.c.id.label("theater_row"),
            theaters.c.place_id,
            theaters.c.time_zone,
        )
        .join(movies, movies.c.id == screenings.c.movie_id)
        .join(auditoriums, auditoriums.c.id == screenings.c.auditorium_id)
        .join(theaters, theaters.c.id == auditoriums.c.location_id)
    )


def told_of(row: Row[Any]) -> Screening:
    """The partner's word alone, on Tell's clock."""
    return Screening(
        id=row.screening_row,
        environment=row.environment,
        showtime_id=row.showtime_id,
        previews_start=row.previews_start,
        movie_start=row.movie_start,
        credits_end=row.credits_end,
        status=row.status,
        revision=row.revision,
        movie_start_bound_ms=row.movie_start_bound_ms,
        movie_start_source=row.movie_start_source,
    )


def screening_of(row: Row[Any]) -> Screening:
    """The screening that tickets go by, of a row with SCREENING_COLUMNS and `screening_row`."""
    operator = (
        None
        if row.operator_movie_start is None
        else OperatorStart(row.operator_movie_start, row.operator_bound_ms or 0)
    )
    return effective(told_of(row), row.clock_bound_ms, operator)


def seen_of(row: Row[Any]) -> Seen:
    """What a listener sees, of a row of `select_seen`."""
    return Seen(screening_of(row), row.number, row.title)


async def read_seen(connection: AsyncConnection, screening_id: int) -> Seen:
    """What a listener sees of a screening that is there."""
    row = (await connection.execute(select_seen().where(screenings.c.id == screening_id))).one()
    return seen_of(row)
