"""The database, and what reads tickets and claims from it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from catalog.listeners.claims import Claims
from catalog.purchases.tickets import Tickets
from gateway.databases import open_database
from gateway.keys import CLAIMS, CLOCK, DATABASE, SETTINGS, TICKETS


async def database(app: web.Application) -> AsyncIterator[None]:
    """Open the database; raises DatabaseError, SecretsError where it cannot be."""
    app[DATABASE] = opened = await open_database(app[SETTINGS].database)
    app[TICKETS] = Tickets(opened)
    app[CLAIMS] = Claims(
        opened,
        app[CLOCK],
        devices_per_purchase=app[SETTINGS].purchases.devices_per_purchase,
    )
    yield
    await opened.close()
