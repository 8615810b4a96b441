"""Reading rows into nouns: the one place that knows how the tables join."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, select

from amc_clone.models import (
    Delivery,
    DeliveryState,
    Message,
    MessageKind,
    Movie,
    Purchase,
    Screening,
    ScreeningStatus,
    Theater,
)
from amc_clone.schema import auditoriums, movies, outbox, purchases, screenings, theaters

_SCREENING_COLUMNS: Sequence[Any] = (
    screenings.c.id,
    screenings.c.showtime_id,
    screenings.c.previews_start,
    screenings.c.movie_start,
    screenings.c.credits_end,
    screenings.c.status,
    screenings.c.revision,
    screenings.c.movie_start_bound_ms,
    auditoriums.c.number.label("auditorium_number"),
    movies.c.movie_id.label("movie_key"),
    movies.c.title,
    movies.c.year,
    movies.c.running_time_s,
    movies.c.poster_path,
    movies.c.audio_description_path,
    theaters.c.place_id,
    theaters.c.name,
    theaters.c.city,
    theaters.c.time_zone,
)
_PURCHASE_COLUMNS: Sequence[Any] = (
    purchases.c.purchase_id,
    purchases.c.purchased_at,
    purchases.c.correlation_id,
    purchases.c.listen_url,
    purchases.c.cancelled_at,
    outbox.c.state,
    outbox.c.attempts,
    outbox.c.last_status,
    outbox.c.last_error,
)
_SCREENING_JOIN = (
    screenings.join(movies, screenings.c.movie_id == movies.c.id)
    .join(auditoriums, screenings.c.auditorium_id == auditoriums.c.id)
    .join(theaters, auditoriums.c.location_id == theaters.c.id)
)


def select_screenings() -> Select[Any]:
    """Screenings with their movie, auditorium and theater."""
    return select(*_SCREENING_COLUMNS).select_from(_SCREENING_JOIN)


def select_purchases() -> Select[Any]:
    """Purchases with their screening and the outbox's message about them."""
    return select(*_PURCHASE_COLUMNS, *_SCREENING_COLUMNS).select_from(
        _SCREENING_JOIN.join(purchases, purchases.c.screening_id == screenings.c.id).join(
            outbox,
            # A cancelled purchase has a second message, which says nothing of a listen link.
            and_(outbox.c.purchase_id == purchases.c.id, outbox.c.kind == MessageKind.PURCHASE),
        )
    )


def movie_of(row: Row[Any]) -> Movie:
    """Movie of a row of select_screenings."""
    return Movie(
        movie_id=row.movie_key,
        title=row.title,
        year=row.year,
        running_time_s=row.running_time_s,
        poster_path=row.poster_path,
        audio_description_path=row.audio_description_path,
    )


def theater_of(row: Row[Any]) -> Theater:
    """Theater of a row that has the columns of theaters."""
    return Theater(place_id=row.place_id, name=row.name, city=row.city, time_zone=row.time_zone)


def screening_of(row: Row[Any]) -> Screening:
    """Screening of a row of select_screenings."""
    return Screening(
        id=row.id,
        showtime_id=row.showtime_id,
        movie=movie_of(row),
        theater=theater_of(row),
        auditorium_number=row.auditorium_number,
        previews_start=row.previews_start,
        movie_start=row.movie_start,
        credits_end=row.credits_end,
        status=ScreeningStatus(row.status),
        revision=row.revision,
        movie_start_bound_ms=row.movie_start_bound_ms,
    )


def purchase_of(row: Row[Any]) -> Purchase:
    """Purchase of a row of select_purchases."""
    return Purchase(
        purchase_id=row.purchase_id,
        purchased_at=row.purchased_at,
        screening=screening_of(row),
        delivery=Delivery(
            state=DeliveryState(row.state),
            attempts=row.attempts,
            last_status=row.last_status,
            last_error=row.last_error,
        ),
        correlation_id=row.correlation_id,
        listen_url=row.listen_url,
        cancelled_at=row.cancelled_at,
    )


def message_of(row: Row[Any]) -> Message:
    """Message of a row of outbox."""
    return Message(
        id=row.id,
        webhook_id=row.webhook_id,
        kind=MessageKind(row.kind),
        path=row.path,
        body=row.body.encode(),
        purchase_id=row.purchase_id,
        attempts=row.attempts,
    )
