"""What Tell counts, for Prometheus to fetch."""

from __future__ import annotations

from aiohttp import web

from gateway.keys import CENSUS, METRICS
from gateway.metrics import CONTENT_TYPE
from gateway.routing import Answer, Route


async def get_metrics(request: web.Request) -> web.Response:
    """All metrics as Prometheus text."""
    await request.app[CENSUS].take()
    return web.Response(
        body=request.app[METRICS].render(),
        headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"},
    )


ROUTES = (
    Route(
        method="GET",
        path="/metrics",
        handler=get_metrics,
        tag="operations",
        summary="Metrics",
        answers=(Answer(200, "Prometheus text exposition", media_types=("text/plain",)),),
    ),
)
