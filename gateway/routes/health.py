"""Whether the process is alive, and whether requests should come here."""

from __future__ import annotations

from aiohttp import web

from gateway.keys import READINESS
from gateway.present import json_response
from gateway.routing import Answer, Route
from gateway.schemas import Health, Ready


async def get_healthz(_request: web.Request) -> web.Response:
    """Answer that the process answers: nothing else is asked, so no other part can restart us."""
    return json_response(Health(status="ok"), private=False)


async def get_readyz(request: web.Request) -> web.Response:
    """Tell how each part is; 503 where a needed one fails."""
    ready = await request.app[READINESS].check()
    return json_response(ready, status=503 if ready.status == "unready" else 200, private=False)


ROUTES = (
    Route(
        method="GET",
        path="/healthz",
        handler=get_healthz,
        tag="operations",
        summary="Is the process alive",
        answers=(Answer(200, "It is", Health),),
    ),
    Route(
        method="GET",
        path="/readyz",
        handler=get_readyz,
        tag="operations",
        summary="Should requests come here",
        answers=(
            Answer(200, "They should; a part that is not needed may be down", Ready),
            Answer(503, "A needed part is down", Ready),
        ),
    ),
)
