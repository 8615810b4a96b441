"""What the catalog's tests share: a clock moved by hand, a database, a real partner on port 0."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from catalog.claims import Claims
from catalog.database import Database
from catalog.enrichment import Enrichment
from catalog.intake import Intake
from catalog.partner import PartnerClient
from catalog.tickets import Tickets
from tests.catalog.samples import EVENING, Clock, PartnerServer


@pytest.fixture
def clock() -> Clock:
    """Stands at EVENING until a test moves it."""
    return Clock(EVENING)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Where this test's database lies."""
    return f"sqlite:///{tmp_path}/tell.db"


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
