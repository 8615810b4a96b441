"""A real AMC-clone whose clock may be off, and a proxy before it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from tests.gateway.conftest import database_url
from tests.gateway.town import NOW, Clients, HandClock, amc_app, make_chain
from tests.partner_faults.proxy import FaultyPartner
from tests.partner_faults.world import OtherClock, World, open_world
from tests.services.once import made_once

__all__ = ["database_url"]


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An AMC-clone database to copy."""
    folder = made_once(
        tmp_path_factory, "chain", lambda made: asyncio.run(make_chain(made / "amc.db"))
    )
    return folder / "amc.db"


@pytest.fixture
def clock() -> HandClock:
    """Tell's clock."""
    return HandClock(NOW)


@pytest.fixture
def partner_clock(clock: HandClock) -> OtherClock:
    """AMC-clone's: the same, until a test sets it off."""
    return OtherClock(clock, timedelta(0))


@pytest.fixture
async def amc(chain: Path, tmp_path: Path, partner_clock: OtherClock) -> AsyncIterator[TestServer]:
    """A running AMC-clone with free auditoriums tonight."""
    shutil.copy(chain, tmp_path / "amc.db")
    server = TestServer(amc_app(tmp_path / "amc.db", partner_clock))
    await server.start_server()
    yield server
    await server.close()


@pytest.fixture
async def partner(amc: TestServer) -> AsyncIterator[FaultyPartner]:
    """The proxy; what is slow ends with the test."""
    faulty = FaultyPartner(str(amc.make_url("")))
    yield faulty
    await faulty.stop()


@pytest.fixture
async def world(
    tmp_path: Path,
    amc: TestServer,
    clock: HandClock,
    partner: FaultyPartner,
    aiohttp_client: Clients,
    database_url: str,
) -> World:
    """All of it, running."""
    return await open_world(tmp_path, amc, clock, aiohttp_client, partner, database_url)


@pytest.fixture
async def hasty(
    tmp_path: Path,
    amc: TestServer,
    clock: HandClock,
    partner: FaultyPartner,
    aiohttp_client: Clients,
    database_url: str,
) -> World:
    """The same with a time-out that a test can wait for. On a busy machine it may hit by itself."""
    return await open_world(
        tmp_path, amc, clock, aiohttp_client, partner, database_url, timeout_s=0.2
    )
