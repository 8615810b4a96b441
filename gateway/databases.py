"""Opening the database that [database] of config.toml names."""

from __future__ import annotations

import asyncio
from pathlib import Path

from catalog.store.database import Database
from gateway.errors import SecretsError
from gateway.secrets import check_private
from gateway.settings import DatabaseSettings


async def open_database(settings: DatabaseSettings) -> Database:
    """Connect, and bring the tables to this version; raises SecretsError, DatabaseError."""
    password = await asyncio.to_thread(read_password, settings)
    return await Database.open(settings.url, settings.replica_url, password=password)


def read_password(settings: DatabaseSettings) -> str:
    """The first line of `password_file`, "" where none is named; raises SecretsError."""
    if not settings.password_file:
        return ""
    path = Path(settings.password_file)
    check_private(path, mend="write the database's password into it")
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise SecretsError(f"{path}: cannot be read: {type(error).__name__}") from error
    if not lines or not lines[0]:
        raise SecretsError(f"{path}: is empty; write the database's password into it")
    return lines[0]
