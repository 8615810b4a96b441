"""The intake of purchases: what was answered 202 is in the database."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from catalog.purchases.intake import Intake
from gateway.keys import CLOCK, DATABASE, ENRICHMENT, INTAKE, METRICS, SETTINGS, VITAL


async def intake(app: web.Application) -> AsyncIterator[None]:
    """Run the intake; each accepted purchase wakes the enrichment."""
    settings = app[SETTINGS].purchases
    app[INTAKE] = running = Intake(
        app[DATABASE],
        app[CLOCK],
        commit_rows=settings.commit_rows,
        queue_limit=settings.queue_limit,
        on_accepted=app[ENRICHMENT].kick,
    )
    app[METRICS].watch(app[METRICS].intake_waiting, lambda: running.waiting)
    await running.start()
    app[VITAL].watch("intake", running)
    yield
    await running.stop()
