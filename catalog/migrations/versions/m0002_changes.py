"""Screening changes and corrections, the partner's clock, keys, events, playback and leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from catalog.migrations.steps import (
    ROW_ID,
    add_column,
    create_index,
    create_table,
    drop_column,
    drop_index,
    drop_table,
)

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Written out, not imported from catalog.store.schema: that one moves on, and this step must not.


def upgrade() -> None:
    """Widen purchases and screenings, and make the new tables."""
    for column in (
        sa.Column("traceparent", sa.String(64)),
        sa.Column("cancelled_at", sa.BigInteger),
        sa.Column("failing_since", sa.BigInteger),
    ):
        add_column("purchases", column)
    for column in (
        sa.Column("clock_offset_us", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("clock_bound_ms", sa.Integer, nullable=False, server_default="0"),
        sa.Column("operator_movie_start", sa.BigInteger),
        sa.Column("operator_bound_ms", sa.Integer),
        sa.Column("operator_set_at", sa.BigInteger),
        sa.Column("etag", sa.String(255)),
        sa.Column("polled_at", sa.BigInteger),
        sa.Column("next_poll_at", sa.BigInteger),
    ):
        add_column("screenings", column)
    create_index("ix_screenings_next_poll_at", "screenings", ["next_poll_at"])
    create_table(
        "playback_states",
        sa.Column("purchase_id", ROW_ID, nullable=False, autoincrement=False),
        sa.Column("listener_id", sa.String(26), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("rendition", sa.String(32), nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("error_ms", sa.Double, nullable=False),
        sa.Column("bound_ms", sa.Double, nullable=False),
        sa.Column("rebuffers", sa.Integer, nullable=False),
        sa.Column("reported_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("purchase_id", name="pk_playback_states"),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["purchases.id"], name="fk_playback_states_purchase_id"
        ),
        sa.ForeignKeyConstraint(
            ["listener_id"], ["listeners.id"], name="fk_playback_states_listener_id"
        ),
    )
    create_index("ix_playback_states_listener_id", "playback_states", ["listener_id"])
    create_table(
        "movie_starts",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("screening_id", ROW_ID, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("movie_start", sa.BigInteger, nullable=False),
        sa.Column("bound_ms", sa.Integer, nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("revision", sa.BigInteger),
        sa.Column("note", sa.String(255)),
        sa.PrimaryKeyConstraint("id", name="pk_movie_starts"),
        sa.ForeignKeyConstraint(
            ["screening_id"], ["screenings.id"], name="fk_movie_starts_screening_id"
        ),
    )
    create_index("ix_movie_starts_screening_id", "movie_starts", ["screening_id"])
    create_table(
        "partner_clocks",
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("offset_us", sa.BigInteger, nullable=False),
        sa.Column("bound_us", sa.BigInteger, nullable=False),
        sa.Column("measured_at", sa.BigInteger, nullable=False),
        sa.Column("confirmed_at", sa.BigInteger, nullable=False),
        sa.Column("before_offset_us", sa.BigInteger),
        sa.Column("before_bound_us", sa.BigInteger),
        sa.Column("set_after", sa.BigInteger),
        sa.Column("set_before", sa.BigInteger),
        sa.PrimaryKeyConstraint("environment", name="pk_partner_clocks"),
    )
    create_table(
        "purchase_cancellations",
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("purchase_id", sa.String(128), nullable=False),
        sa.Column("cancelled_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("environment", "purchase_id", name="pk_purchase_cancellations"),
    )
    create_table(
        "webhook_messages",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("webhook_id", sa.String(255), nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("body_sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_messages"),
        sa.UniqueConstraint(
            "environment", "webhook_id", name="uq_webhook_messages_environment_webhook_id"
        ),
    )
    create_index("ix_webhook_messages_received_at", "webhook_messages", ["received_at"])
    create_table(
        "webhook_keys",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("sealed", sa.String(512), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("retires_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_keys"),
        sa.UniqueConstraint("environment", "name", name="uq_webhook_keys_environment_name"),
    )
    create_table(
        "event_sequence",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event_sequence"),
    )
    # The one row; the words of the condition are those that SQLite, MariaDB and MySQL share.
    op.execute(
        "INSERT INTO event_sequence (id, last) SELECT 1, 0 FROM (SELECT 1 AS one) AS source "
        "WHERE NOT EXISTS (SELECT id FROM event_sequence)"
    )
    create_table(
        "events",
        sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("screening_id", ROW_ID),
        sa.Column("purchase_id", ROW_ID),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.ForeignKeyConstraint(["screening_id"], ["screenings.id"], name="fk_events_screening_id"),
        sa.ForeignKeyConstraint(["purchase_id"], ["purchases.id"], name="fk_events_purchase_id"),
    )
    create_index("ix_events_at", "events", ["at"])
    create_index("ix_events_screening_id", "events", ["screening_id"])
    create_index("ix_events_purchase_id", "events", ["purchase_id"])
    create_table(
        "leases",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )


def downgrade() -> None:
    """Drop the new tables and columns; what they held is gone."""
    for table in (
        "leases",
        "events",
        "event_sequence",
        "webhook_keys",
        "webhook_messages",
        "purchase_cancellations",
        "partner_clocks",
        "movie_starts",
        "playback_states",
    ):
        drop_table(table)
    drop_index("ix_screenings_next_poll_at", "screenings")
    for name in (
        "next_poll_at",
        "polled_at",
        "etag",
        "operator_set_at",
        "operator_bound_ms",
        "operator_movie_start",
        "clock_bound_ms",
        "clock_offset_us",
    ):
        drop_column("screenings", name)
    for name in ("failing_since", "cancelled_at", "traceparent"):
        drop_column("purchases", name)
