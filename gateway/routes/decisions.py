"""`GET /stream/{token}/decision`: may this token have files, and of which track.

For the nginx of `delivery.mode = "nginx"`, which sends the bytes itself and keeps the answer for a
while (deploy/nginx/delivery.conf). Who asks by herself learns what her token says anyway.
"""

from __future__ import annotations

from aiohttp import web

from catalog.errors import DatabaseError, TicketNotFoundError
from gateway.errors import ScreeningCancelledError, ScreeningEndedError, StreamRefusedError
from gateway.headers import decision_headers
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
    kept_s = str(opening.kept_s(settings.decision_s))
    return web.Response(status=204, headers=decision_headers(opening.track.prefix, kept_s))


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
