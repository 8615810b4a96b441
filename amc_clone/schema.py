"""The tables: the seed's TMS-like schema, and what selling and telling need beside it.

Only types that MariaDB has too: every string has a length, instants are BIGINT microseconds.
`amc_clone/migrations` makes these tables; a test holds the two together.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

from amc_clone.instants import from_us, to_us

# A name for every constraint: SQLite makes none up, and a migration can only drop what has one.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
# MariaDB compares without regard to case unless told; ids are compared byte by byte.
TABLE_OPTIONS: dict[str, Any] = {
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mysql_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
}

metadata = MetaData(naming_convention=NAMES)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, stored as microseconds since 1970 in UTC.

    Neither SQLite nor MySQL keeps both a time zone and microseconds; an integer also sorts.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Refuse a naive datetime: it names no instant."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone, so it names no instant")
        return to_us(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Give the instant back, aware and in UTC."""
        return None if value is None else from_us(value)


def _key() -> Column[int]:
    # SQLite numbers rows by itself only in a column of type INTEGER.
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


movies = Table(
    "movies",
    metadata,
    _key(),
    Column("movie_id", String(64), nullable=False, unique=True),
    Column("title", String(200), nullable=False),
    Column("year", Integer, nullable=False),
    Column("running_time_s", Integer, nullable=False),
    Column("poster_path", String(255), nullable=False),
    Column("audio_description_path", String(255)),
    **TABLE_OPTIONS,
)

theaters = Table(
    "theaters",
    metadata,
    _key(),
    Column("place_id", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("city", String(100), nullable=False),
    Column("time_zone", String(64), nullable=False),
    **TABLE_OPTIONS,
)

auditoriums = Table(
    "auditoriums",
    metadata,
    _key(),
    Column("location_id", ForeignKey("theaters.id"), nullable=False),
    Column("number", String(16), nullable=False),
    UniqueConstraint("location_id", "number", name="uq_auditoriums_location_number"),
    **TABLE_OPTIONS,
)

screenings = Table(
    "screenings",
    metadata,
    _key(),
    Column("showtime_id", String(64), nullable=False, unique=True),
    Column("movie_id", ForeignKey("movies.id"), nullable=False),
    Column("auditorium_id", ForeignKey("auditoriums.id"), nullable=False),
    Column("previews_start", Instant, nullable=False),
    Column("movie_start", Instant, nullable=False),
    Column("credits_end", Instant, nullable=False),
    Column("status", String(16), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("movie_start_bound_ms", Integer, nullable=False),
    Index("ix_screenings_auditorium_previews", "auditorium_id", "previews_start"),
    Index("ix_screenings_previews", "previews_start", "id"),
    **TABLE_OPTIONS,
)

purchases = Table(
    "purchases",
    metadata,
    _key(),
    Column("purchase_id", String(64), nullable=False, unique=True),
    Column("screening_id", ForeignKey("screenings.id"), nullable=False),
    Column("purchased_at", Instant, nullable=False),
    Column("correlation_id", String(64)),
    Column("listen_url", String(2048)),
    Column("cancelled_at", Instant),
    **TABLE_OPTIONS,
)

outbox = Table(
    "outbox",
    metadata,
    _key(),
    Column("webhook_id", String(64), nullable=False, unique=True),
    Column("kind", String(32), nullable=False),
    # Where in Tell the message goes, and its exact bytes: each try signs the same body.
    Column("path", String(128), nullable=False),
    Column("body", Text, nullable=False),
    Column("purchase_id", ForeignKey("purchases.id")),
    Column("created_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Instant, nullable=False),
    Column("last_status", Integer),
    Column("last_error", String(500)),
    Index("ix_outbox_state_next", "state", "next_attempt_at"),
    Index("ix_outbox_purchase", "purchase_id"),
    **TABLE_OPTIONS,
)
