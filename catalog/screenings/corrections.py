"""Tell's own operator: her word on when a film starts stands above the partner's until cleared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.errors import CorrectionError, ScreeningNotFoundError, StartChangedError
from catalog.models import Screening, StartSource
from catalog.screenings.effective import Seen
from catalog.screenings.keeping import tell_of_change
from catalog.screenings.screening_rows import seen_of, select_seen, told_of
from catalog.store.database import Database
from catalog.store.schema import movie_starts, screenings, theaters

# Nobody corrects by more; such a number is a slip.
_FARTHEST = timedelta(hours=12)
NOTE_CHARS = 255


@dataclass(frozen=True, slots=True)
class Listed:
    """A screening as an operator looks at it."""

    screening: Screening
    title: str
    place_id: str
    auditorium_number: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class RecordedStart:
    """One line of the history of a start. `revision` is the partner's, None for our operator."""

    recorded_at: datetime
    movie_start: datetime
    bound_ms: int
    source: StartSource
    revision: int | None
    note: str | None


class Corrections:
    """Lists screenings and corrects their starts. All methods raise DatabaseError."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def between(
        self, starts_from: datetime, starts_before: datetime, environment: str | None = None
    ) -> list[Listed]:
        """Screenings whose film starts in that time, by the effective start."""
        # Wide enough for any correction; what counts is looked at below.
        query = (
            select_seen()
            .where(screenings.c.movie_start >= starts_from - _FARTHEST)
            .where(screenings.c.movie_start < starts_before + _FARTHEST)
            .order_by(screenings.c.movie_start, theaters.c.place_id, screenings.c.showtime_id)
        )
        if environment is not None:
            query = query.where(screenings.c.environment == environment)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        found = [
            Listed(seen.screening, seen.title, row.place_id, seen.auditorium_number, row.time_zone)
            for row in rows
            for seen in (seen_of(row),)
            if starts_from <= seen.screening.movie_start < starts_before
        ]
        return sorted(found, key=lambda each: each.screening.movie_start)

    async def history(self, environment: str, showtime_id: str) -> list[RecordedStart]:
        """What was said of a start, oldest first; raises ScreeningNotFoundError."""
        async with self._database.read() as connection:
            screening_id = await connection.scalar(
                select(screenings.c.id)
                .where(screenings.c.environment == environment)
                .where(screenings.c.showtime_id == showtime_id)
            )
            if screening_id is None:
                raise ScreeningNotFoundError(environment, showtime_id)
            rows = await connection.execute(
                select(movie_starts)
                .where(movie_starts.c.screening_id == screening_id)
                .order_by(movie_starts.c.id)
            )
            return [
                RecordedStart(
                    row.recorded_at,
                    row.movie_start,
                    row.bound_ms,
                    row.source,
                    row.revision,
                    row.note,
                )
                for row in rows
            ]

    async def start(
        self,
        environment: str,
        showtime_id: str,
        movie_start: datetime,
        bound_ms: int,
        note: str | None = None,
        *,
        expected: datetime | None = None,
    ) -> Screening:
        """The film starts, or started, at *movie_start*, within *bound_ms*.

        Raises ScreeningNotFoundError, CorrectionError over twelve hours from the partner's, and
        StartChangedError where the film does not start at *expected* before.
        """
        return await self._correct(
            environment, showtime_id, lambda seen, told: (movie_start, bound_ms), note, expected
        )

    async def delay(
        self,
        environment: str,
        showtime_id: str,
        by: timedelta,
        bound_ms: int,
        note: str | None = None,
    ) -> Screening:
        """The film starts later by *by* (earlier if negative) than it stands now.

        Raises as `start` does.
        """
        return await self._correct(
            environment,
            showtime_id,
            lambda seen, told: (seen.screening.movie_start + by, bound_ms),
            note,
        )

    async def clear(
        self,
        environment: str,
        showtime_id: str,
        note: str | None = None,
        *,
        expected: datetime | None = None,
    ) -> Screening:
        """The partner's word counts again; raises ScreeningNotFoundError, StartChangedError."""
        return await self._correct(
            environment, showtime_id, lambda seen, told: None, note, expected
        )

    async def _correct(
        self,
        environment: str,
        showtime_id: str,
        correction: Callable[[Seen, Screening], tuple[datetime, int] | None],
        note: str | None,
        expected: datetime | None = None,
    ) -> Screening:
        async def write(connection: AsyncConnection) -> Screening:
            now = self._clock()
            same = (
                screenings.c.environment == environment,
                screenings.c.showtime_id == showtime_id,
            )
            await connection.execute(select(screenings.c.id).where(*same).with_for_update())
            row = (await connection.execute(select_seen().where(*same))).one_or_none()
            if row is None:
                raise ScreeningNotFoundError(environment, showtime_id)
            before, told = seen_of(row), told_of(row)
            found = before.screening.movie_start
            if expected is not None and found != expected:
                raise StartChangedError(showtime_id, expected, found)
            corrected = correction(before, told)
            if corrected is not None and abs(corrected[0] - told.movie_start) > _FARTHEST:
                raise CorrectionError(showtime_id, corrected[0], told.movie_start)
            await connection.execute(
                update(screenings)
                .where(screenings.c.id == row.screening_row)
                .values(
                    operator_movie_start=corrected[0] if corrected else None,
                    operator_bound_ms=corrected[1] if corrected else None,
                    operator_set_at=now if corrected else None,
                )
            )
            await tell_of_change(connection, before, now, note)
            after = (
                await connection.execute(select_seen().where(screenings.c.id == row.screening_row))
            ).one()
            return seen_of(after).screening

        return await self._database.run(write)
