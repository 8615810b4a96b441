"""`GET /stream/{token}/decision`: may this token have files, and of which track.

For the nginx of `delivery.mode = "nginx"`, which sends the bytes itself and keeps the answer for a
while (deploy/nginx/delivery.conf). Who asks by herself learns what her token says anyway.
"""

from __future__ import annotations

from aiohttp import web

from catalog.errors import DatabaseError, TicketNotFoundError
from gateway.errors import ScreeningCancelledError, ScreeningEndedError, StreamRefusedError
from gateway.keys import GRANTS, SETTINGS, correlate
from gateway.routing import Answer, Route
from media.errors import StorageError, TokenError, TrackNotFoundError


async def get_decision(request: web.Request) -> web.Response:
    """Open a track to the server that asks, for `delivery.decision_s` and no longer than it is."""
    settings = request.app[SETTINGS].delivery
    if settings.mode != "nginx":
        raise web.HTTPNotFound
    opening = await request.app[GRANTS].open_file(request.match_info["token"])
    correlate(request, opening.ticket.correlation_id)
    left_s = (opening.open_until - opening.now).total_seconds()
    return web.Response(
        status=204,
        headers={
            "X-Tell-Track": opening.track.prefix,
            # For nginx, above Cache-Control; 0 is not to be kept (ngx_http_proxy_module,
            # proxy_cache_valid).
            "X-Accel-Expires": str(int(min(settings.decision_s, left_s))),
            "Cache-Control": "private, no-store",
        },
    )


ROUTES = (
    Route(
        method="GET",
        path="/stream/{token}/decision",
        handler=get_decision,
        tag="media",
        summary="Whether a token opens files, for a server that sends them (stream token)",
        answers=(Answer(204, "It does: X-Tell-Track names the folder of its track"),),
        errors=(
            TokenError,
            StreamRefusedError,
            TicketNotFoundError,
            TrackNotFoundError,
            ScreeningCancelledError,
            ScreeningEndedError,
            StorageError,
            DatabaseError,
        ),
    ),
)
