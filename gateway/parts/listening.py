"""What a listener is granted: tickets and tracks, joined to signed addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from gateway.grants import Grants
from gateway.keys import CLOCK, ENTITLEMENTS, GRANTS, LIBRARY, SETTINGS, TICKETS, TOKENS


async def listening(app: web.Application) -> AsyncIterator[None]:
    """Make the grants."""
    settings = app[SETTINGS].tokens
    app[GRANTS] = Grants(
        app[TICKETS],
        app[ENTITLEMENTS],
        app[LIBRARY],
        app[TOKENS],
        app[CLOCK],
        access_ttl=settings.access_ttl,
        margin=settings.margin_after_credits,
    )
    yield
