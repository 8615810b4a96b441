"""Reading tickets: a purchase with its movie, theater and screening as they are now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, func, or_, select

from catalog.errors import TicketNotFoundError
from catalog.models import Movie, Screening, Theater, Ticket
from catalog.screenings.screening_rows import SCREENING_COLUMNS, screening_of
from catalog.store.database import Database
from catalog.store.schema import auditoriums, claims, movies, purchases, screenings, theaters


@dataclass(frozen=True, slots=True)
class Held:
    """A ticket in a listener's hand; `purchase_id` is its row."""

    listener_id: str
    purchase_id: int
    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Known:
    """A ticket with the row of its purchase, by which events name it."""

    purchase_id: int
    ticket: Ticket


class Tickets:
    """Each method sees what was committed before it was called. All raise DatabaseError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_listener(self, listener_id: str) -> list[Ticket]:
        """All tickets that the listener holds, by movie_start; those without a screening last."""
        # Where Tell's own operator spoke, her word counts (catalog/screenings/effective.py).
        start = func.coalesce(screenings.c.operator_movie_start, screenings.c.movie_start)
        query = (
            _tickets()
            .where(_held_by(listener_id))
            # IS NULL first: databases differ on where they sort what is missing.
            .order_by(screenings.c.movie_start.is_(None), start, purchases.c.id)
        )
        async with self._database.read() as connection:
            return [_ticket(row) for row in await connection.execute(query)]

    async def get(self, listener_id: str, correlation_id: str) -> Ticket:
        """The ticket, if the listener holds it; raises TicketNotFoundError."""
        return await self._one(correlation_id, _held_by(listener_id))

    async def by_correlation(self, correlation_id: str) -> Ticket:
        """The ticket, whoever asks; raises TicketNotFoundError."""
        return await self._one(correlation_id)

    async def known(self, correlation_ids: Collection[str]) -> list[Known]:
        """Those of the tickets that there are, whoever asks."""
        found = await self._database.rows(_KNOWN, {"names": list(correlation_ids)})
        shared: _Shared = {}
        return [Known(row.purchase_row, _ticket(row, shared)) for row in found]

    async def in_hands(self, correlation_ids: Collection[str]) -> list[Held]:
        """Those of the tickets that somebody holds, once for each who does."""
        return await self._held(_KNOWN_IN_HANDS, {"names": list(correlation_ids)})

    async def coming(self, now: datetime, until: datetime) -> list[int]:
        """Rows of the screenings that run at *now* or begin before *until*, the next ones first."""
        query = (
            select(screenings.c.id)
            .where(screenings.c.credits_end > now, screenings.c.previews_start < until)
            .order_by(screenings.c.previews_start, screenings.c.id)
        )
        async with self._database.read(stale_ok=True) as connection:
            return list(await connection.scalars(query))

    async def held_for(self, screening_id: int) -> list[str]:
        """Tickets for a screening that somebody holds: their correlation ids, the latest first."""
        query = (
            select(purchases.c.correlation_id)
            .where(purchases.c.screening_id == screening_id)
            .where(purchases.c.id.in_(select(claims.c.purchase_id)))
            .order_by(purchases.c.id.desc())
        )
        async with self._database.read(stale_ok=True) as connection:
            return list(await connection.scalars(query))

    async def screening(self, screening_id: int) -> Screening | None:
        """The screening as it is now."""
        query = select(screenings.c.id.label("screening_row"), *SCREENING_COLUMNS).where(
            screenings.c.id == screening_id
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else screening_of(row)

    async def sold_screenings(self, before: datetime, ends_after: datetime) -> list[Screening]:
        """Screenings ending after *ends_after* that were sold, to anybody, before *before*."""
        sold = select(purchases.c.screening_id).where(purchases.c.accepted_at < before)
        query = select(screenings.c.id.label("screening_row"), *SCREENING_COLUMNS).where(
            screenings.c.credits_end > ends_after, screenings.c.id.in_(sold)
        )
        async with self._database.read() as connection:
            return [screening_of(row) for row in await connection.execute(query)]

    async def audience(
        self, screening_ids: Collection[int], purchase_ids: Collection[int]
    ) -> list[Held]:
        """Who holds tickets of those screenings, or those purchases, as they are now.

        Both are rows' ids, as events name them (catalog/listeners/events.py).
        """
        concerned = or_(
            purchases.c.screening_id.in_(screening_ids), purchases.c.id.in_(purchase_ids)
        )
        return await self._held(_in_hands(concerned))

    async def _held(
        self, query: Select[Any], parameters: Mapping[str, Any] | None = None
    ) -> list[Held]:
        shared: _Shared = {}
        return [
            Held(row.listener_id, row.purchase_row, _ticket(row, shared))
            for row in await self._database.rows(query, parameters)
        ]

    async def _one(self, correlation_id: str, *conditions: ColumnElement[bool]) -> Ticket:
        query = _tickets().where(purchases.c.correlation_id == correlation_id, *conditions)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise TicketNotFoundError(correlation_id)
        return _ticket(row)


def _held_by(listener_id: str) -> ColumnElement[bool]:
    # A listener with two devices has two claims: a join would double the ticket.
    held = select(claims.c.purchase_id).where(claims.c.listener_id == listener_id)
    condition: ColumnElement[bool] = purchases.c.id.in_(held)
    return condition


def _tickets() -> Select[Any]:
    return (
        select(
            purchases.c.correlation_id,
            purchases.c.environment.label("purchase_environment"),
            purchases.c.purchase_id,
            purchases.c.state,
            purchases.c.movie_id,
            purchases.c.place_id,
            purchases.c.auditorium_number,
            purchases.c.showtime_id.label("purchase_showtime_id"),
            purchases.c.purchased_at,
            screenings.c.id.label("screening_row"),
            *SCREENING_COLUMNS,
            auditoriums.c.number,
            movies.c.title,
            movies.c.poster_path,
            movies.c.audio_description_path,
            theaters.c.name,
            theaters.c.time_zone,
        )
        .select_from(purchases)
        .outerjoin(screenings, screenings.c.id == purchases.c.screening_id)
        .outerjoin(movies, movies.c.id == screenings.c.movie_id)
        .outerjoin(auditoriums, auditoriums.c.id == screenings.c.auditorium_id)
        .outerjoin(theaters, theaters.c.id == auditoriums.c.location_id)
    )


def _in_hands(condition: ColumnElement[bool]) -> Select[Any]:
    """Who holds tickets: two devices of one listener are two claims, and one ticket."""
    return (
        _tickets()
        .add_columns(_PURCHASE_ROW, claims.c.listener_id)
        .join(claims, claims.c.purchase_id == purchases.c.id)
        .where(condition)
        .distinct()
    )


# Asked for with each join: they are built once.
_PURCHASE_ROW = purchases.c.id.label("purchase_row")
_NAMED = purchases.c.correlation_id.in_(bindparam("names", expanding=True))
_KNOWN = _tickets().add_columns(_PURCHASE_ROW).where(_NAMED)
_KNOWN_IN_HANDS = _in_hands(_NAMED)


# What tickets for one screening share, by its row and what a purchase itself says.
_Shown = tuple[Movie, Theater, Screening]
_Shared = dict[tuple[int, str, str], _Shown]


def _ticket(row: Row[*tuple[Any, ...]], shared: _Shared | None = None) -> Ticket:
    """The ticket of a row; *shared* is of the same reading."""
    if row.screening_row is None:
        movie = theater = screening = None
    else:
        movie, theater, screening = _shown(row, {} if shared is None else shared)
    return Ticket(
        correlation_id=row.correlation_id,
        environment=row.purchase_environment,
        purchase_id=row.purchase_id,
        state=row.state,
        movie_id=row.movie_id,
        place_id=row.place_id,
        # Where the screening is now: it may have been moved since the ticket was sold.
        auditorium_number=row.auditorium_number if row.number is None else row.number,
        showtime_id=row.purchase_showtime_id,
        purchased_at=row.purchased_at,
        movie=movie,
        theater=theater,
        screening=screening,
    )


def _shown(row: Row[*tuple[Any, ...]], shared: _Shared) -> _Shown:
    key = row.screening_row, row.movie_id, row.place_id
    found = shared.get(key)
    if found is None:
        found = shared[key] = (
            Movie(row.movie_id, row.title, row.poster_path, row.audio_description_path),
            Theater(row.place_id, row.name, row.time_zone),
            screening_of(row),
        )
    return found
