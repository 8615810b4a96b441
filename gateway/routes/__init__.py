"""Every route of Tell, in the order in which the router tries them."""

from __future__ import annotations

from gateway.routes import (
    claims,
    documents,
    events,
    files,
    grants,
    health,
    listeners,
    metrics,
    playback,
    posters,
    purchases,
    screening_events,
    stream,
    tickets,
    time,
    web,
)
from gateway.routing import Route

ROUTES: tuple[Route, ...] = (
    *purchases.ROUTES,
    *screening_events.ROUTES,
    *claims.ROUTES,
    *tickets.ROUTES,
    *playback.ROUTES,
    *listeners.ROUTES,
    *events.ROUTES,
    *grants.ROUTES,
    *stream.ROUTES,
    *files.ROUTES,
    *time.ROUTES,
    *health.ROUTES,
    *metrics.ROUTES,
    *documents.ROUTES,
    *posters.ROUTES,
    *web.ROUTES,
)
