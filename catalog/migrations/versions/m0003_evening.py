"""An index for who listens now, and the sessions that an operator has ended."""

from __future__ import annotations

import sqlalchemy as sa

from catalog.migrations.steps import create_index, create_table, drop_index, drop_table

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both; a gateway of before runs on beside them."""
    create_index("ix_playback_states_reported_at", "playback_states", ["reported_at"])
    create_table(
        "ended_sessions",
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("session", name="pk_ended_sessions"),
    )


def downgrade() -> None:
    """Drop both; a session that was ended, and is not over by its time, is good again."""
    drop_table("ended_sessions")
    drop_index("ix_playback_states_reported_at", "playback_states")
