"""Bringing a database's tables to this version, forward and back, on a connection that is given.

Alembic is run from here and never from its own command line, so there is no alembic.ini, and the
scripts are found beside this file wherever the package is installed.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run what is missing up to *revision*, in the transaction that *connection* is in.

    Raises alembic.util.CommandError where the database is of a version that is not known here.
    """
    command.upgrade(_config(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    """Undo what came after *revision*; `base` drops everything."""
    command.downgrade(_config(connection), revision)


def head() -> str:
    """The revision of this version's tables."""
    config = Config()
    config.set_main_option("script_location", _location())
    revision = ScriptDirectory.from_config(config).get_current_head()
    # Alembic knows projects without any revision.
    assert revision is not None  # noqa: S101
    return revision


def _location() -> str:
    # Alembic reads % in options as the start of a reference (configparser).
    return str(Path(__file__).parent).replace("%", "%%")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", _location())
    config.attributes["connection"] = connection
    return config
