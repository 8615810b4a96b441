"""What the tests of AMC-clone share."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from amc_clone.database import Database
from amc_clone.schema import metadata
from amc_clone.seeding import seed
from tests.amc_clone.cinema import NOW, Cinema, HandClock, open_cinema
from tests.amc_clone.partner import TellServer
from tests.services.kinds import database_kinds
from tests.services.mariadb import MariaServer
from tests.services.once import made_once


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded database to copy: seeding takes longer than most tests."""

    async def fill(path: Path) -> None:
        database = await Database.open(path)
        await seed(database, NOW)
        await database.close()

    folder = made_once(
        tmp_path_factory, "amc-seeded", lambda made: asyncio.run(fill(made / "seeded.db"))
    )
    return folder / "seeded.db"


@pytest.fixture
def clock() -> HandClock:
    """A clock that stands at NOW."""
    return HandClock(NOW)


@pytest.fixture
async def tell() -> AsyncIterator[TellServer]:
    """A Tell that does not listen yet."""
    server = TellServer()
    yield server
    await server.close()


@pytest.fixture
async def database_url(
    request: pytest.FixtureRequest, database_kind: str, seeded: Path, tmp_path: Path
) -> str:
    """A seeded database of this test alone."""
    if database_kind == "sqlite":
        return f"sqlite:///{shutil.copy(seeded, tmp_path / 'amc.db')}"
    return await seeded_database(request.getfixturevalue("mariadb_server"))


@pytest.fixture(params=database_kinds())
async def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/empty.db"
    server: MariaServer = request.getfixturevalue("mariadb_server")
    return await server.fresh_database("amc_empty")


async def seeded_database(server: MariaServer) -> str:
    """A copy of a seeded database, row by row, within the server."""
    tables = [table.name for table in metadata.sorted_tables]

    async def make(url: str) -> None:
        await (await Database.open(url)).close()

    async def fill(url: str) -> None:
        database = await Database.open(url)
        await seed(database, NOW)
        await database.close()

    await server.database("amc_seeded", fill, keep=frozenset({"alembic_version", *tables}))
    url = await server.database("amc", make, keep=frozenset({"alembic_version"}))
    for name in tables:
        copy = f"INSERT INTO `{name}` SELECT * FROM amc_seeded.`{name}`"  # noqa: S608  (our own)
        await server.execute(copy, database="amc")
    return url


@pytest.fixture
async def cinema(database_url: str, clock: HandClock, tell: TellServer) -> AsyncIterator[Cinema]:
    """A running, seeded AMC-clone whose Tell does not listen yet."""
    opened = await open_cinema(database_url, clock, tell, seed_data=False)
    yield opened
    await opened.client.close()


@pytest.fixture
async def cinema_and_tell(cinema: Cinema, tell: TellServer) -> Cinema:
    """A running AMC-clone and a Tell that answers it."""
    await tell.start()
    return cinema
