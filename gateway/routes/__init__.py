"""Every route of Tell, in the order in which the router tries them."""

from __future__ import annotations

from gateway.routes import (
    claims,
    documents,
    files,
    grants,
    health,
    metrics,
    purchases,
    stream,
    tickets,
    time,
    web,
)
from gateway.routing import Route

ROUTES: tuple[Route, ...] = (
    *purchases.ROUTES,
    *claims.ROUTES,
    *tickets.ROUTES,
    *grants.ROUTES,
    *stream.ROUTES,
    *files.ROUTES,
    *time.ROUTES,
    *health.ROUTES,
    *metrics.ROUTES,
    *documents.ROUTES,
    *web.ROUTES,
)
