"""The tables: the seed's five, and what stands around them. For SQLite and MariaDB alike.

    movies ──< screenings >── auditoriums >── theaters
                   │
                   ├──< purchases ──< claims >── listeners
                   └──< movie_starts

docs/database.md draws all of them.

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
    Double,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
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
ETAG_CHARS = 255

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
    # The partner's clock minus Tell's, as it was subtracted from the three instants above, and how
    # far off that measurement may have been.
    Column("clock_offset_us", BigInteger, nullable=False, server_default="0"),
    Column("clock_bound_ms", Integer, nullable=False, server_default="0"),
    # What Tell's own operator said, until she clears it.
    Column("operator_movie_start", Instant),
    Column("operator_bound_ms", Integer),
    Column("operator_set_at", Instant),
    # Reconciliation: the partner's word for "unchanged", the last look and the next one.
    Column("etag", String(ETAG_CHARS)),
    Column("polled_at", Instant),
    Column("next_poll_at", Instant),
    UniqueConstraint("environment", "showtime_id"),
    Index("ix_screenings_next_poll_at", "next_poll_at"),
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
    # Since when the look-ups have failed with that code.
    Column("failing_since", Instant),
    # What enrichment links.
    Column("enriched_at", Instant),
    Column("theater_id", RowId, ForeignKey("theaters.id")),
    Column("screening_id", RowId, ForeignKey("screenings.id")),
    # The listener of the first claim.
    Column("user_id", String(LISTENER_ID_CHARS), ForeignKey("listeners.id")),
    # The trace that the partner's request was part of (W3C Trace Context 3.2).
    Column("traceparent", String(64)),
    Column("cancelled_at", Instant),
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

playback_states = Table(
    "playback_states",
    metadata,
    # The last word of each ticket and no history: nobody needs to know when a person listened.
    Column("purchase_id", RowId, ForeignKey("purchases.id"), primary_key=True, autoincrement=False),
    Column("listener_id", String(LISTENER_ID_CHARS), ForeignKey("listeners.id"), nullable=False),
    Column("source", String(16), nullable=False),
    Column("rendition", String(32), nullable=False),
    Column("phase", String(16), nullable=False),
    Column("error_ms", Double, nullable=False),
    Column("bound_ms", Double, nullable=False),
    Column("rebuffers", Integer, nullable=False),
    Column("reported_at", Instant, nullable=False),
    Index("ix_playback_states_listener_id", "listener_id"),
    Index("ix_playback_states_reported_at", "reported_at"),
    **TABLE_OPTIONS,
)

movie_starts = Table(
    "movie_starts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("screening_id", RowId, ForeignKey("screenings.id"), nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("movie_start", Instant, nullable=False),
    Column("bound_ms", Integer, nullable=False),
    Column("source", _words(StartSource), nullable=False),
    # The partner's; none where an operator of Tell spoke.
    Column("revision", BigInteger),
    Column("note", String(255)),
    Index("ix_movie_starts_screening_id", "screening_id"),
    **TABLE_OPTIONS,
)

partner_clocks = Table(
    "partner_clocks",
    metadata,
    Column("environment", String(ENVIRONMENT_CHARS), primary_key=True),
    # The partner's clock minus Tell's.
    Column("offset_us", BigInteger, nullable=False),
    Column("bound_us", BigInteger, nullable=False),
    Column("measured_at", Instant, nullable=False),
    # When the clock was last found to run on as measured.
    Column("confirmed_at", Instant, nullable=False),
    # What it was before somebody set it, and between which instants that was.
    Column("before_offset_us", BigInteger),
    Column("before_bound_us", BigInteger),
    Column("set_after", Instant),
    Column("set_before", Instant),
    **TABLE_OPTIONS,
)

purchase_cancellations = Table(
    "purchase_cancellations",
    metadata,
    # A cancellation may overtake its purchase; so it names what may not be here yet.
    Column("environment", String(ENVIRONMENT_CHARS), primary_key=True),
    Column("purchase_id", String(PARTNER_ID_CHARS), primary_key=True),
    Column("cancelled_at", Instant, nullable=False),
    **TABLE_OPTIONS,
)

webhook_messages = Table(
    "webhook_messages",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("environment", String(ENVIRONMENT_CHARS), nullable=False),
    Column("webhook_id", String(PATH_CHARS), nullable=False),
    Column("received_at", Instant, nullable=False),
    # Lower-case hexadecimal: the same id with another body is an error of the sender.
    Column("body_sha256", String(64), nullable=False),
    UniqueConstraint("environment", "webhook_id"),
    Index("ix_webhook_messages_received_at", "received_at"),
    **TABLE_OPTIONS,
)

webhook_keys = Table(
    "webhook_keys",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("environment", String(ENVIRONMENT_CHARS), nullable=False),
    Column("name", String(16), nullable=False),
    # Encrypted with the master key, as text.
    Column("sealed", String(512), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("retires_at", Instant),
    Column("revoked_at", Instant),
    UniqueConstraint("environment", "name"),
    **TABLE_OPTIONS,
)

event_sequence = Table(
    "event_sequence",
    metadata,
    # One row, id 1, made by the migration. Who raises `last` holds the row until the commit, so
    # that a reader never sees event 7 before event 6.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    **TABLE_OPTIONS,
)

events = Table(
    "events",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("screening_id", RowId, ForeignKey("screenings.id")),
    Column("purchase_id", RowId, ForeignKey("purchases.id")),
    # JSON.
    Column("detail", Text, nullable=False),
    Index("ix_events_at", "at"),
    Index("ix_events_screening_id", "screening_id"),
    Index("ix_events_purchase_id", "purchase_id"),
    **TABLE_OPTIONS,
)

leases = Table(
    "leases",
    metadata,
    # What only one replica does at a time, who does it, and until when.
    Column("name", String(64), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("expires_at", Instant, nullable=False),
    **TABLE_OPTIONS,
)

ended_sessions = Table(
    "ended_sessions",
    metadata,
    # An operator's session that she ended, by the digest of its name, until it would be over.
    Column("session", String(64), primary_key=True),
    Column("expires_at", Instant, nullable=False),
    **TABLE_OPTIONS,
)
