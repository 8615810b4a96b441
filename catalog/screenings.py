"""Keeping what the partner tells of screenings: the newest revision wins, whoever brings it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.details import ScreeningDetails
from catalog.errors import PartnerAnswerError
from catalog.models import ScreeningStatus, StartSource
from catalog.schema import auditoriums, movies, screenings, theaters

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Stored:
    """Rows that a purchase is linked to."""

    screening_id: int
    theater_id: int


async def store_details(
    connection: AsyncConnection,
    environment: str,
    movie_id: str,
    place_id: str,
    showtime_id: str,
    details: ScreeningDetails,
) -> Stored:
    """Insert or update the screening with its movie, theater and auditorium.

    An older revision changes nothing, and one that is known already neither. Raises
    PartnerAnswerError where the showtime belongs to another movie or theater: then one of the two
    answers is wrong, and which one is not ours to guess.
    """
    known = (
        await connection.execute(
            select(
                screenings.c.id,
                screenings.c.revision,
                *(screenings.c[name] for name in _TIMES),
                screenings.c.status,
                movies.c.movie_id,
                theaters.c.place_id,
                theaters.c.id.label("theater_id"),
            )
            .join(movies, movies.c.id == screenings.c.movie_id)
            .join(auditoriums, auditoriums.c.id == screenings.c.auditorium_id)
            .join(theaters, theaters.c.id == auditoriums.c.location_id)
            .where(screenings.c.environment == environment)
            .where(screenings.c.showtime_id == showtime_id)
        )
    ).one_or_none()
    if known is not None:
        if (known.movie_id, known.place_id) != (movie_id, place_id):
            raise PartnerAnswerError(
                "showtime-reused",
                f"showtime {showtime_id[:80]} belongs to movie {known.movie_id} "
                f"in theater {known.place_id[:80]}",
            )
        if details.revision <= known.revision:
            if details.revision == known.revision and not _same(known, details):
                log.error(
                    "screening_revision_reused",
                    environment=environment,
                    showtime_id=showtime_id,
                    revision=details.revision,
                )
            return Stored(known.id, known.theater_id)
    movie = await _keep(
        connection,
        movies,
        {"environment": environment, "movie_id": movie_id},
        {
            "title": details.title,
            "poster_path": details.poster_path,
            "audio_description_path": details.audio_description_path,
        },
    )
    theater = await _keep(
        connection,
        theaters,
        {"environment": environment, "place_id": place_id},
        {"name": details.theater_name, "time_zone": details.time_zone},
    )
    auditorium = await _keep(
        connection,
        auditoriums,
        {"location_id": theater, "number": details.auditorium_number},
        {},
    )
    screening = await _keep(
        connection,
        screenings,
        {"environment": environment, "showtime_id": showtime_id},
        {
            "movie_id": movie,
            "auditorium_id": auditorium,
            **{name: getattr(details, name) for name in _TIMES},
            "movie_start_bound_ms": details.movie_start_bound_ms,
            "movie_start_source": _source(details),
            "status": details.status,
            "revision": details.revision,
        },
    )
    return Stored(screening, theater)


_TIMES = ("previews_start", "movie_start", "credits_end")


def _same(known: Any, details: ScreeningDetails) -> bool:
    return known.status is details.status and all(
        getattr(known, name) == getattr(details, name) for name in _TIMES
    )


def _source(details: ScreeningDetails) -> StartSource:
    # Once the film has started, its start is no longer a plan: the partner saw it.
    if details.status is ScreeningStatus.STARTED:
        return StartSource.PARTNER_EVENT
    return StartSource.SCHEDULE


async def _keep(
    connection: AsyncConnection, table: Table, key: dict[str, Any], values: dict[str, Any]
) -> int:
    """Id of the row that *key* names, inserted or brought to *values*.

    Select, then insert: safe because writers are alone (Database.write), and portable, which
    neither ON CONFLICT nor RETURNING is.
    """
    same = [table.c[name] == value for name, value in key.items()]
    row_id: int | None = (
        await connection.execute(select(table.c.id).where(*same))
    ).scalar_one_or_none()
    if row_id is None:
        inserted = await connection.execute(insert(table).values(**key, **values))
        return int(inserted.lastrowid)
    if values:
        await connection.execute(update(table).where(table.c.id == row_id).values(**values))
    return row_id
