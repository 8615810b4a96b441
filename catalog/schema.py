"""The tables: the seed's five, and who listens to what. SQLAlchemy Core, SQLite and MariaDB alike.

    movies ──< screenings >── auditoriums >── theaters
                   │
                   └──< purchases ──< claims >── listeners

Every id of a partner is unique together with its environment, so that a staging system can never
reach a production ticket. Instants are microseconds since 1970 in UTC: no database's own type
keeps microseconds and an offset everywhere. `catalog/migrations` makes these tables; a test holds
the two together.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
)

from catalog.models import PurchaseState, ScreeningStatus, StartSource

# A name for every constraint: SQLite makes none up, and a migration can only drop what has one.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
# MariaDB compares without regard to case unless told; partner ids are compared byte by byte.
TABLE_OPTIONS: dict[str, Any] = {
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mysql_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
}

# SQLite numbers rows by itself only where the key's type is exactly INTEGER.
RowId = BigInteger().with_variant(Integer(), "sqlite")
ENVIRONMENT_CHARS = 64
PARTNER_ID_CHARS = 128
MOVIE_ID_CHARS = 64
PATH_CHARS = 255
TITLE_CHARS = 255
CORRELATION_ID_CHARS = 20
LISTENER_ID_CHARS = 26

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as whole microseconds since 1970 and given back in UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Microseconds since 1970; subtracting a naive datetime raises TypeError."""
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Exact: a float of seconds would lose the last digits."""
        return None if value is None else _EPOCH + value * _MICROSECOND


def _words(kind: type[PurchaseState | ScreeningStatus | StartSource]) -> Enum:
    """A StrEnum as its words in a text column: a new word needs no change of the table."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=16,
        values_callable=lambda members: [member.value for member in members],
    )


metadata = MetaData(naming_convention=NAMES)

movies = Table(
    "movies",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("environment", String(ENVIRONMENT_CHARS), nullable=False),
    Column("movie_id", String(MOVIE_ID_CHARS), nullable=False),
    Column("title", String(TITLE_CHARS), nullable=False),
    Column("poster_path", String(PATH_CHARS)),
    Column("audio_description_path", String(PATH_CHARS)),
    UniqueConstraint("environment", "movie_id"),
    **TABLE_OPTIONS,
)

theaters = Table(
    "theaters",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("environment", String(ENVIRONMENT_CHARS), nullable=False),
    Column("place_id", String(PARTNER_ID_CHARS), nullable=False),
    Column("name", String(TITLE_CHARS), nullable=False),
    Column("time_zone", String(64), nullable=False),
    UniqueConstraint("environment", "place_id"),
    **TABLE_OPTIONS,
)

auditoriums = Table(
    "auditoriums",
    metadata,
    Column("id", RowId, primary_key=True),
    # The seed's name for the theater that the auditorium is in.
    Column("location_id", RowId, ForeignKey("theaters.id"), nullable=False),
    Column("number", String(PARTNER_ID_CHARS), nullable=False),
    UniqueConstraint("location_id", "number"),
    **TABLE_OPTIONS,
)

screenings = Table(
    "screenings",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("environment", String(ENVIRONMENT_CHARS), nullable=False),
    Column("showtime_id", String(PARTNER_ID_CHARS), nullable=False),
    Column("movie_id", RowId, ForeignKey("movies.id"), nullable=False),
    Column("auditorium_id", RowId, ForeignKey("auditoriums.id"), nullable=False),
    Column("previews_start", Instant, nullable=False),
    Column("movie_start", Instant, nullable=False),
    Column("movie_start_bound_ms", Integer, nullable=False),
    Column("movie_start_source", _words(StartSource), nullable=False),
    Column("credits_end", Instant, nullable=False),
    Column("status", _words(ScreeningStatus), nullable=False),
    Column("revision", BigInteger, nullable=False),
    UniqueConstraint("environment", "showtime_id"),
    **TABLE_OPTIONS,
)

listeners = Table(
    "listeners",
    metadata,
    # A random id is all that is known of a listener.
    Column("id", String(LISTENER_ID_CHARS), primary_key=True),
    Column("created_at", Instant, nullable=False),
    **TABLE_OPTIONS,
)

purchases = Table(
    "purchases",
    metadata,
    Column("id", RowId, primary_key=True),
    # The six fields, verbatim, and whose they are.
    Column("environment", String(ENVIRONMENT_CHARS), nullable=False),
    Column("purchase_id", String(PARTNER_ID_CHARS), nullable=False),
    Column("movie_id", String(MOVIE_ID_CHARS), nullable=False),
    Column("place_id", String(PARTNER_ID_CHARS), nullable=False),
    Column("auditorium_number", String(PARTNER_ID_CHARS), nullable=False),
    Column("showtime_id", String(PARTNER_ID_CHARS), nullable=False),
    Column("purchased_at", Instant, nullable=False),
    # What Tell adds when it accepts.
    Column("correlation_id", String(CORRELATION_ID_CHARS), nullable=False),
    Column("webhook_id", String(PATH_CHARS), nullable=False),
    Column("accepted_at", Instant, nullable=False),
    Column("state", _words(PurchaseState), nullable=False),
    # The next look-up, and what became of the last one.
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Instant, nullable=False),
    Column("failure_code", String(64)),
    Column("failure_detail", String(255)),
    # What enrichment links.
    Column("enriched_at", Instant),
    Column("theater_id", RowId, ForeignKey("theaters.id")),
    Column("screening_id", RowId, ForeignKey("screenings.id")),
    # The listener of the first claim.
    Column("user_id", String(LISTENER_ID_CHARS), ForeignKey("listeners.id")),
    UniqueConstraint("environment", "purchase_id"),
    UniqueConstraint("correlation_id"),
    Index("ix_purchases_due", "state", "next_attempt_at"),
    Index("ix_purchases_showtime", "environment", "showtime_id"),
    Index("ix_purchases_screening_id", "screening_id"),
    Index("ix_purchases_user_id", "user_id"),
    **TABLE_OPTIONS,
)

claims = Table(
    "claims",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("purchase_id", RowId, ForeignKey("purchases.id"), nullable=False),
    Column("listener_id", String(LISTENER_ID_CHARS), ForeignKey("listeners.id"), nullable=False),
    Column("device_nonce", String(64), nullable=False),
    Column("claimed_at", Instant, nullable=False),
    UniqueConstraint("purchase_id", "device_nonce"),
    Index("ix_claims_listener_id", "listener_id"),
    **TABLE_OPTIONS,
)
