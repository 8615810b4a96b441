"""A real MariaDB server for tests (demo/services/mariadb.py).

One server serves a whole test run (one for each pytest-xdist worker, from one copy of the system
tables). A test gets a database that holds the tables and no rows; making the tables anew for each
would cost most of the time.
"""

from __future__ import annotations

import os
import shutil

import pytest

from demo.services import free_port
from demo.services.mariadb import (
    INSTALLER,
    PROGRAM,
    MariaServer,
    install_into,
    running_mariadb,
)

__all__ = [
    "MariaServer",
    "free_port",
    "install_into",
    "require_mariadb",
    "running_mariadb",
    "tell_database",
]


def require_mariadb() -> None:
    """Skip the test, aloud, where there is no MariaDB; fail it where CI says it must be there."""
    missing = [name for name in (PROGRAM, INSTALLER) if shutil.which(name) is None]
    if not missing:
        return
    message = f"{', '.join(missing)} not found: apt-get install mariadb-server"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


async def tell_database(server: MariaServer, name: str = "tell") -> str:
    """A database with Tell's tables and no rows, as a new one has them; returns its URL."""
    from catalog.store.database import Database

    async def make(url: str) -> None:
        await (await Database.open(url)).close()

    url = await server.database(name, make, keep=frozenset({"alembic_version", "event_sequence"}))
    await server.execute("UPDATE event_sequence SET last = 0", database=name)
    return url
