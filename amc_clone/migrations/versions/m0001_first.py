"""The first tables: the seed's TMS-like schema, sales and the outbox.

They are those of the releases before Alembic, so a database of these is taken over as it is.
"""

from __future__ import annotations

import sqlalchemy as sa

from amc_clone.migrations.steps import ROW_ID, create_index, create_table, drop_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Written out, not imported from amc_clone.schema: that one moves on, and this step must not.


def upgrade() -> None:
    """Make all tables."""
    create_table(
        "movies",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("movie_id", sa.String(64), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("running_time_s", sa.Integer, nullable=False),
        sa.Column("poster_path", sa.String(255), nullable=False),
        sa.Column("audio_description_path", sa.String(255)),
        sa.PrimaryKeyConstraint("id", name="pk_movies"),
        sa.UniqueConstraint("movie_id", name="uq_movies_movie_id"),
    )
    create_table(
        "theaters",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("place_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("city", sa.String(100), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_theaters"),
        sa.UniqueConstraint("place_id", name="uq_theaters_place_id"),
    )
    create_table(
        "auditoriums",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("location_id", ROW_ID, nullable=False),
        sa.Column("number", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_auditoriums"),
        sa.ForeignKeyConstraint(
            ["location_id"], ["theaters.id"], name="fk_auditoriums_location_id"
        ),
        sa.UniqueConstraint("location_id", "number", name="uq_auditoriums_location_number"),
    )
    create_table(
        "screenings",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("showtime_id", sa.String(64), nullable=False),
        sa.Column("movie_id", ROW_ID, nullable=False),
        sa.Column("auditorium_id", ROW_ID, nullable=False),
        sa.Column("previews_start", sa.BigInteger, nullable=False),
        sa.Column("movie_start", sa.BigInteger, nullable=False),
        sa.Column("credits_end", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("movie_start_bound_ms", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_screenings"),
        sa.ForeignKeyConstraint(["movie_id"], ["movies.id"], name="fk_screenings_movie_id"),
        sa.ForeignKeyConstraint(
            ["auditorium_id"], ["auditoriums.id"], name="fk_screenings_auditorium_id"
        ),
        sa.UniqueConstraint("showtime_id", name="uq_screenings_showtime_id"),
    )
    create_index(
        "ix_screenings_auditorium_previews", "screenings", ["auditorium_id", "previews_start"]
    )
    create_index("ix_screenings_previews", "screenings", ["previews_start", "id"])
    create_table(
        "purchases",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("purchase_id", sa.String(64), nullable=False),
        sa.Column("screening_id", ROW_ID, nullable=False),
        sa.Column("purchased_at", sa.BigInteger, nullable=False),
        sa.Column("correlation_id", sa.String(64)),
        sa.Column("listen_url", sa.String(2048)),
        sa.PrimaryKeyConstraint("id", name="pk_purchases"),
        sa.ForeignKeyConstraint(
            ["screening_id"], ["screenings.id"], name="fk_purchases_screening_id"
        ),
        sa.UniqueConstraint("purchase_id", name="uq_purchases_purchase_id"),
    )
    create_table(
        "outbox",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("webhook_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("path", sa.String(128), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("purchase_id", ROW_ID),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger, nullable=False),
        sa.Column("last_status", sa.Integer),
        sa.Column("last_error", sa.String(500)),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.ForeignKeyConstraint(["purchase_id"], ["purchases.id"], name="fk_outbox_purchase_id"),
        sa.UniqueConstraint("webhook_id", name="uq_outbox_webhook_id"),
    )
    create_index("ix_outbox_state_next", "outbox", ["state", "next_attempt_at"])
    create_index("ix_outbox_purchase", "outbox", ["purchase_id"])
    # How the earlier releases knew their tables.
    drop_table("schema_version")


def downgrade() -> None:
    """Drop all tables, those that refer to others first."""
    for table in (
        "outbox",
        "purchases",
        "screenings",
        "auditoriums",
        "theaters",
        "movies",
    ):
        drop_table(table)
