"""What a listener is granted: tickets and tracks, joined to signed addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from gateway.delivery.clerk import Clerk
from gateway.delivery.turnstile import Turnstile
from gateway.delivery.usher import Usher
from gateway.grants import Grants
from gateway.keys import (
    CLOCK,
    ENTITLEMENTS,
    GRANTS,
    LIBRARY,
    MEDIA_PLAYLISTS,
    METRICS,
    PASSES,
    REQUEST_LINES,
    SETTINGS,
    TICKETS,
    TOKENS,
    USHER,
)


async def listening(app: web.Application) -> AsyncIterator[None]:
    """Make the grants, and the short way to them."""
    settings = app[SETTINGS].tokens
    delivery = app[SETTINGS].delivery
    app[GRANTS] = Grants(
        app[TICKETS],
        app[ENTITLEMENTS],
        app[LIBRARY],
        app[TOKENS],
        app[CLOCK],
        access_ttl=settings.access_ttl,
        margin=settings.margin_after_credits,
    )
    vary = ("Origin",) if app[SETTINGS].server.cors_origins else ()
    clerk = Clerk(app[METRICS], app[REQUEST_LINES])
    app[USHER] = Usher(
        app[GRANTS],
        app[ENTITLEMENTS],
        app[PASSES],
        app[TOKENS],
        Turnstile(app[TOKENS], app[CLOCK], app[METRICS], clerk, vary=vary),
        app[MEDIA_PLAYLISTS],
        app[CLOCK],
        app[METRICS],
        clerk,
        vary=vary,
        decision_s=delivery.decision_s if delivery.mode == "nginx" else None,
    )
    yield
