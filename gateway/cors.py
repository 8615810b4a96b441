"""Answering players on pages of other origins, where config.toml names these (Fetch 3.2)."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.keys import SETTINGS
from gateway.origins import PREFLIGHT, SHARED, sharing_headers


@web.middleware
async def answer_preflights(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer the question that a browser asks before a request with a bearer or a range."""
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
        return await handler(request)
    if not _sharing(request):
        # As without CORS: the browser sees no permission.
        return await handler(request)
    return web.Response(status=204, headers=PREFLIGHT)


def _sharing(request: web.Request) -> Mapping[str, str]:
    """The headers of sharing for the origin of a request."""
    return sharing_headers(
        request.headers.get("Origin"), request.path, request.app[SETTINGS].server.cors_origins
    )


async def share(request: web.Request, response: web.StreamResponse) -> None:
    """Add them to every answer, problems too (an on_response_prepare signal)."""
    allowed = request.app[SETTINGS].server.cors_origins
    if not allowed or not request.path.startswith(SHARED):
        return
    # With and without an origin the answers differ (Fetch 3.2.5): a cache must know.
    vary = response.headers.get("Vary")
    response.headers["Vary"] = "Origin" if vary is None else f"{vary}, Origin"
    response.headers.update(_sharing(request))
