"""The evening as an operator looks at it: what is sold, and what changed lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select

from catalog.errors import ScreeningNotFoundError
from catalog.models import EventKind, PurchaseState, Screening, StartSource
from catalog.screenings.effective import effective
from catalog.screenings.screening_rows import screening_of, select_seen, told_of
from catalog.store.database import Database
from catalog.store.schema import (
    auditoriums,
    events,
    movie_starts,
    movies,
    purchases,
    screenings,
    theaters,
)

# Nobody corrects a start by more, so nothing that is looked for lies farther off.
_FARTHEST = timedelta(hours=12)
# What listeners were told that no line of a start's history says.
_TOLD = (EventKind.SCREENING_CANCELLED, EventKind.SCREENING_MOVED)


@dataclass(frozen=True, slots=True)
class Showing:
    """A screening for which tickets are sold, with all that an operator calls it by.

    `by_partner` is what it would be without the operator's own word.
    """

    screening: Screening
    by_partner: Screening
    movie_id: str
    title: str
    audio_description_path: str | None
    place_id: str
    theater_name: str
    time_zone: str
    auditorium_number: str
    tickets: int


@dataclass(frozen=True, slots=True)
class Change:
    """Something that changed about a screening.

    `kind` is None where the film's start did: then `movie_start`, `bound_ms` and `source` say to
    what.
    """

    at: datetime
    environment: str
    showtime_id: str
    title: str
    auditorium_number: str
    time_zone: str
    kind: EventKind | None = None
    movie_start: datetime | None = None
    bound_ms: int | None = None
    source: StartSource | None = None
    note: str | None = None


class Board:
    """Reads the evening. All methods raise DatabaseError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def showings(self, ends_after: datetime, starts_before: datetime) -> list[Showing]:
        """Screenings with tickets that are not over, and whose previews begin by then; by start."""
        query = (
            _showings()
            .where(screenings.c.credits_end > ends_after - _FARTHEST)
            .where(screenings.c.previews_start < starts_before + _FARTHEST)
        )
        async with self._database.read(stale_ok=True) as connection:
            found = [_showing(row) for row in await connection.execute(query)]
        return sorted(
            (
                each
                for each in found
                if each.tickets
                and each.screening.credits_end > ends_after
                and each.screening.previews_start < starts_before
            ),
            key=lambda each: (each.screening.movie_start, each.place_id, each.auditorium_number),
        )

    async def showing(self, environment: str, showtime_id: str) -> Showing:
        """One screening as it is now; raises ScreeningNotFoundError."""
        query = (
            _showings()
            .where(screenings.c.environment == environment)
            .where(screenings.c.showtime_id == showtime_id)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise ScreeningNotFoundError(environment, showtime_id)
        return _showing(row)

    async def changes(self, since: datetime, limit: int) -> list[Change]:
        """The last *limit* changes since then, the newest first."""
        first = (
            select(func.min(movie_starts.c.id))
            .where(movie_starts.c.screening_id == screenings.c.id)
            .correlate(screenings)
            .scalar_subquery()
        )
        starts = (
            _named(
                movie_starts.c.recorded_at,
                movie_starts.c.movie_start.label("said_start"),
                movie_starts.c.bound_ms,
                movie_starts.c.source,
                movie_starts.c.note,
            )
            .join(movie_starts, movie_starts.c.screening_id == screenings.c.id)
            .where(movie_starts.c.recorded_at >= since)
            # With its first line Tell has only heard of the screening.
            .where(movie_starts.c.id != first)
            .order_by(movie_starts.c.id.desc())
            .limit(limit)
        )
        told = (
            _named(events.c.at, events.c.kind)
            .join(events, events.c.screening_id == screenings.c.id)
            .where(events.c.at >= since)
            .where(events.c.kind.in_([kind.value for kind in _TOLD]))
            .order_by(events.c.id.desc())
            .limit(limit)
        )
        async with self._database.read(stale_ok=True) as connection:
            found = [
                Change(
                    row.recorded_at,
                    *_names(row),
                    movie_start=row.said_start,
                    bound_ms=row.bound_ms,
                    source=row.source,
                    note=row.note,
                )
                for row in await connection.execute(starts)
            ]
            found += [
                Change(row.at, *_names(row), kind=EventKind(row.kind))
                for row in await connection.execute(told)
            ]
        return sorted(found, key=lambda each: each.at, reverse=True)[:limit]


def _showings() -> Select[Any]:
    tickets = (
        select(func.count())
        .select_from(purchases)
        .where(purchases.c.screening_id == screenings.c.id)
        .where(purchases.c.state == PurchaseState.ENRICHED)
        .correlate(screenings)
        .scalar_subquery()
    )
    return select_seen().add_columns(
        movies.c.audio_description_path, theaters.c.name, tickets.label("tickets")
    )


def _showing(row: Any) -> Showing:
    return Showing(
        screening_of(row),
        effective(told_of(row), row.clock_bound_ms, None),
        row.movie_id,
        row.title,
        row.audio_description_path,
        row.place_id,
        row.name,
        row.time_zone,
        row.number,
        row.tickets,
    )


def _named(*columns: Any) -> Select[Any]:
    """Those columns with what a screening is called by."""
    return (
        select(
            *columns,
            screenings.c.environment,
            screenings.c.showtime_id,
            movies.c.title,
            auditoriums.c.number,
            theaters.c.time_zone,
        )
        .select_from(screenings)
        .join(movies, movies.c.id == screenings.c.movie_id)
        .join(auditoriums, auditoriums.c.id == screenings.c.auditorium_id)
        .join(theaters, theaters.c.id == auditoriums.c.location_id)
    )


def _names(row: Any) -> tuple[str, str, str, str, str]:
    return row.environment, row.showtime_id, row.title, row.number, row.time_zone
