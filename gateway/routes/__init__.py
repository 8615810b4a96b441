"""Every route of Tell, in the order in which the router tries them."""

from __future__ import annotations

from gateway.routes import (
    claims,
    decisions,
    documents,
    events,
    files,
    grants,
    health,
    listeners,
    metrics,
    ops,
    ops_events,
    ops_purchases,
    ops_screenings,
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
    *decisions.ROUTES,
    *time.ROUTES,
    *health.ROUTES,
    *metrics.ROUTES,
    *ops.ROUTES,
    *ops_events.ROUTES,
    *ops_screenings.ROUTES,
    *ops_purchases.ROUTES,
    *documents.ROUTES,
    *posters.ROUTES,
    *web.ROUTES,
)
