"""What describes this server: the OpenAPI document, and what each problem's code means."""

from __future__ import annotations

from aiohttp import web

from gateway.keys import OPENAPI
from gateway.present import json_response
from gateway.problems import all_kinds
from gateway.routing import Answer, Route
from gateway.schemas import ProblemKind


async def get_openapi(request: web.Request) -> web.Response:
    """OpenAPI 3.1 document of every route."""
    return web.Response(
        body=request.app[OPENAPI],
        content_type="application/json",
        headers={"Cache-Control": "no-cache"},
    )


async def get_problem(request: web.Request) -> web.Response:
    """Meaning of a problem's `type`: it is the address of this answer (RFC 9457 3.1.1)."""
    code = request.match_info["code"]
    kinds = [kind for kind in all_kinds() if kind.code == code]
    if not kinds:
        raise web.HTTPNotFound
    return json_response(
        ProblemKind(
            code=code,
            titles=sorted({kind.title for kind in kinds}),
            statuses=sorted({kind.status for kind in kinds}),
        ),
        private=False,
    )


ROUTES = (
    Route(
        method="GET",
        path="/openapi.json",
        handler=get_openapi,
        tag="operations",
        summary="This document",
        answers=(Answer(200, "OpenAPI 3.1", media_types=("application/json",)),),
    ),
    Route(
        method="GET",
        path="/problems/{code}",
        handler=get_problem,
        tag="operations",
        summary="What a problem's code means",
        answers=(Answer(200, "Its titles and statuses", ProblemKind),),
    ),
)
