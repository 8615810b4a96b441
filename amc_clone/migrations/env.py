"""What Alembic runs for each command: use the connection that amc_clone.migrations hands over."""

from __future__ import annotations

from alembic import context

from amc_clone.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot alter most things in place: Alembic copies the table instead.
    render_as_batch=True,
)
# The caller has begun the transaction, so all steps become durable together or not at all
# (on SQLite; MariaDB commits each statement that changes a table).
with context.begin_transaction():
    context.run_migrations()
