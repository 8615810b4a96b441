"""The first tables: the seed's five, listeners and claims."""

from __future__ import annotations

import sqlalchemy as sa

from catalog.migrations.steps import ROW_ID, create_index, create_table, drop_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Written out, not imported from catalog.store.schema: that one moves on, and this step must not.


def upgrade() -> None:
    """Make all tables."""
    create_table(
        "movies",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("movie_id", sa.String(64), nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("poster_path", sa.String(255)),
        sa.Column("audio_description_path", sa.String(255)),
        sa.PrimaryKeyConstraint("id", name="pk_movies"),
        sa.UniqueConstraint("environment", "movie_id", name="uq_movies_environment_movie_id"),
    )
    create_table(
        "theaters",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("place_id", sa.String(128), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_theaters"),
        sa.UniqueConstraint("environment", "place_id", name="uq_theaters_environment_place_id"),
    )
    create_table(
        "auditoriums",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("location_id", ROW_ID, nullable=False),
        sa.Column("number", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_auditoriums"),
        sa.ForeignKeyConstraint(
            ["location_id"], ["theaters.id"], name="fk_auditoriums_location_id"
        ),
        sa.UniqueConstraint("location_id", "number", name="uq_auditoriums_location_id_number"),
    )
    create_table(
        "screenings",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("showtime_id", sa.String(128), nullable=False),
        sa.Column("movie_id", ROW_ID, nullable=False),
        sa.Column("auditorium_id", ROW_ID, nullable=False),
        sa.Column("previews_start", sa.BigInteger, nullable=False),
        sa.Column("movie_start", sa.BigInteger, nullable=False),
        sa.Column("movie_start_bound_ms", sa.Integer, nullable=False),
        sa.Column("movie_start_source", sa.String(16), nullable=False),
        sa.Column("credits_end", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_screenings"),
        sa.ForeignKeyConstraint(["movie_id"], ["movies.id"], name="fk_screenings_movie_id"),
        sa.ForeignKeyConstraint(
            ["auditorium_id"], ["auditoriums.id"], name="fk_screenings_auditorium_id"
        ),
        sa.UniqueConstraint(
            "environment", "showtime_id", name="uq_screenings_environment_showtime_id"
        ),
    )
    create_table(
        "listeners",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_listeners"),
    )
    create_table(
        "purchases",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("purchase_id", sa.String(128), nullable=False),
        sa.Column("movie_id", sa.String(64), nullable=False),
        sa.Column("place_id", sa.String(128), nullable=False),
        sa.Column("auditorium_number", sa.String(128), nullable=False),
        sa.Column("showtime_id", sa.String(128), nullable=False),
        sa.Column("purchased_at", sa.BigInteger, nullable=False),
        sa.Column("correlation_id", sa.String(20), nullable=False),
        sa.Column("webhook_id", sa.String(255), nullable=False),
        sa.Column("accepted_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger, nullable=False),
        sa.Column("failure_code", sa.String(64)),
        sa.Column("failure_detail", sa.String(255)),
        sa.Column("enriched_at", sa.BigInteger),
        sa.Column("theater_id", ROW_ID),
        sa.Column("screening_id", ROW_ID),
        sa.Column("user_id", sa.String(26)),
        sa.PrimaryKeyConstraint("id", name="pk_purchases"),
        sa.ForeignKeyConstraint(["theater_id"], ["theaters.id"], name="fk_purchases_theater_id"),
        sa.ForeignKeyConstraint(
            ["screening_id"], ["screenings.id"], name="fk_purchases_screening_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["listeners.id"], name="fk_purchases_user_id"),
        sa.UniqueConstraint(
            "environment", "purchase_id", name="uq_purchases_environment_purchase_id"
        ),
        sa.UniqueConstraint("correlation_id", name="uq_purchases_correlation_id"),
    )
    create_index("ix_purchases_due", "purchases", ["state", "next_attempt_at"])
    create_index("ix_purchases_showtime", "purchases", ["environment", "showtime_id"])
    create_index("ix_purchases_screening_id", "purchases", ["screening_id"])
    create_index("ix_purchases_user_id", "purchases", ["user_id"])
    create_table(
        "claims",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("purchase_id", ROW_ID, nullable=False),
        sa.Column("listener_id", sa.String(26), nullable=False),
        sa.Column("device_nonce", sa.String(64), nullable=False),
        sa.Column("claimed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_claims"),
        sa.ForeignKeyConstraint(["purchase_id"], ["purchases.id"], name="fk_claims_purchase_id"),
        sa.ForeignKeyConstraint(["listener_id"], ["listeners.id"], name="fk_claims_listener_id"),
        sa.UniqueConstraint(
            "purchase_id", "device_nonce", name="uq_claims_purchase_id_device_nonce"
        ),
    )
    create_index("ix_claims_listener_id", "claims", ["listener_id"])


def downgrade() -> None:
    """Drop all tables, those that refer to others first."""
    for table in (
        "claims",
        "purchases",
        "listeners",
        "screenings",
        "auditoriums",
        "theaters",
        "movies",
    ):
        drop_table(table)
