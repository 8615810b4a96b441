"""The look-ups at the partners: every purchase gets its screening."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from catalog.enrichment.enricher import Enrichment
from gateway.keys import (
    ANSWERS,
    BACKGROUND,
    CLOCK,
    DATABASE,
    ENRICHMENT,
    EVENT_FEED,
    METRICS,
    ON_ENRICHED,
    SETTINGS,
)


async def enrichment(app: web.Application) -> AsyncIterator[None]:
    """Run the enrichment."""
    settings = app[SETTINGS].enrichment
    answers = app[ANSWERS]

    def enriched(correlation_id: str) -> None:
        app[METRICS].enriched.inc()
        app[EVENT_FEED].kick()
        app[ON_ENRICHED](correlation_id)

    app[ENRICHMENT] = running = Enrichment(
        app[DATABASE],
        answers,
        app[CLOCK],
        retry_first_s=settings.retry_first_s,
        retry_max_s=settings.retry_max_s,
        concurrency=settings.concurrency,
        patience_s=settings.park_after_s,
        claim_s=settings.claim_s,
        on_enriched=enriched,
        on_waited=app[METRICS].enrichment_seconds.observe,
        on_parked=lambda code: app[METRICS].parked.labels(code).inc(),
    )
    await running.start()
    app[BACKGROUND].watch("enrichment", running)
    yield
    await running.stop()
