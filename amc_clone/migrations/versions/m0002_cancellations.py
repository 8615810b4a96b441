"""Tickets can be cancelled."""

from __future__ import annotations

import sqlalchemy as sa

from amc_clone.migrations.steps import add_column, drop_column

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Remember when a ticket was cancelled."""
    add_column("purchases", sa.Column("cancelled_at", sa.BigInteger))


def downgrade() -> None:
    """Forget it."""
    drop_column("purchases", "cancelled_at")
