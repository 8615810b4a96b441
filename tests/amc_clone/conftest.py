"""What the tests of AMC-clone share."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from amc_clone.database import Database
from amc_clone.seeding import seed
from tests.amc_clone.cinema import NOW, Cinema, HandClock, open_cinema
from tests.amc_clone.partner import TellServer


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded database to copy: seeding takes longer than most tests."""
    path = tmp_path_factory.mktemp("amc") / "seeded.db"
    database = await Database.open(path)
    await seed(database, NOW)
    await database.close()
    return path


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
def database_path(seeded: Path, tmp_path: Path) -> Path:
    """A seeded database of this test alone."""
    return Path(shutil.copy(seeded, tmp_path / "amc.db"))


@pytest.fixture
async def cinema(database_path: Path, clock: HandClock, tell: TellServer) -> AsyncIterator[Cinema]:
    """A running, seeded AMC-clone whose Tell does not listen yet."""
    opened = await open_cinema(database_path, clock, tell, seed_data=False)
    yield opened
    await opened.client.close()


@pytest.fixture
async def cinema_and_tell(cinema: Cinema, tell: TellServer) -> Cinema:
    """A running AMC-clone and a Tell that answers it."""
    await tell.start()
    return cinema
