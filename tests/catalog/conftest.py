"""What the catalog's tests share: a clock moved by hand, a database, a real partner on port 0."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from catalog.enrichment.enricher import Enrichment
from catalog.listeners.claims import Claims
from catalog.partner.client import PartnerClient
from catalog.purchases.intake import Intake
from catalog.purchases.tickets import Tickets
from catalog.store.database import Database
from tests.catalog.samples import EVENING, Clock, PartnerServer
from tests.services.kinds import database_kinds
from tests.services.mariadb import MariaServer, tell_database


@pytest.fixture
def clock() -> Clock:
    """Stands at EVENING until a test moves it."""
    return Clock(EVENING)


@pytest.fixture(params=database_kinds())
async def database_url(request: pytest.FixtureRequest, new_tell_db: Path, tmp_path: Path) -> str:
    """Where this test's database lies: each test runs on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{shutil.copy(new_tell_db, tmp_path / 'tell.db')}"
    return await tell_database(request.getfixturevalue("mariadb_server"))


@pytest.fixture(params=database_kinds())
async def new_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a database without tables lies, on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new.db"
    server: MariaServer = request.getfixturevalue("mariadb_server")
    return await server.fresh_database("new")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database with its tables."""
    opened = await Database.open(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def intake(database: Database, clock: Clock) -> AsyncIterator[Intake]:
    """An intake that runs."""
    running = Intake(database, clock, commit_rows=50, queue_limit=1000)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def partner() -> PartnerServer:
    """The partner's answers; `partner_url` is where it listens."""
    return PartnerServer()


@pytest.fixture
async def partner_url(partner: PartnerServer) -> AsyncIterator[str]:
    """Address of the partner, a real server."""
    app = web.Application()
    app.router.add_get("/screening/details", partner.details)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))
        # A request that still waits would hold the server's end up.
        partner.open.set()


@pytest.fixture
async def client(partner_url: str) -> AsyncIterator[PartnerClient]:
    """Tell's client of the partner."""
    async with ClientSession() as session:
        yield PartnerClient(session, partner_url, timeout_s=5)


@pytest.fixture
async def enrichment(
    database: Database, client: PartnerClient, clock: Clock
) -> AsyncIterator[Enrichment]:
    """An enrichment that runs: first retry after 10 s, then 20, 40 ... at most 300."""
    running = Enrichment(
        database,
        {"prod": client},
        clock,
        retry_first_s=10,
        retry_max_s=300,
        concurrency=4,
        fraction=lambda: 1.0,
    )
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
def claims(database: Database, clock: Clock) -> Claims:
    """Claims of five devices a purchase."""
    return Claims(database, clock, devices_per_purchase=5)


@pytest.fixture
def tickets(database: Database) -> Tickets:
    """Reads the database."""
    return Tickets(database)
