"""`GET /ops/events`: what changes on the operator's first page, as it changes."""

from __future__ import annotations

import json
from contextlib import suppress

import structlog
from aiohttp import web

from catalog.errors import DatabaseError
from gateway import sse
from gateway.errors import EventStreamsFullError, OperatorRefusedError, OpsClosedError
from gateway.keys import CLOCK, EVENING, OPERATOR, READINESS
from gateway.ops.board_page import sections
from gateway.ops.door import signed_session_of
from gateway.ops.markup import Markup, html, tag
from gateway.ops.sessions import ENDED, Session
from gateway.routing import Answer, Route

log = structlog.get_logger(__name__)

_EVERY_S = 2.0
_RETRY_MS = 3_000
_HEADERS = {
    "Content-Type": sse.MEDIA_TYPE,
    "Cache-Control": "private, no-store",
    # nginx would gather what is to be sent at once (ngx_http_proxy_module, proxy_buffering).
    "X-Accel-Buffering": "no",
}


async def get_ops_events(request: web.Request) -> web.StreamResponse:
    """Send the sections that are other than they were sent before, until the session is over."""
    session = signed_session_of(request)
    if await _is_ended(request, session):
        raise OperatorRefusedError(ENDED)
    with request.app[OPERATOR].streams.one():
        response = web.StreamResponse(headers=_HEADERS)
        with suppress(ConnectionError):
            await response.prepare(request)
            if request.method != "HEAD":
                await _follow(request, response, session)
        return response


async def _follow(request: web.Request, response: web.StreamResponse, session: Session) -> None:
    app = request.app
    sent: dict[str, Markup] = {}
    await response.write(sse.retry(_RETRY_MS))
    while app[CLOCK]() < session.expires_at and not await _is_ended(request, session):
        now = await _sections(request, session)
        changed = {name: inner for name, inner in now.items() if sent.get(name) != inner}
        if changed:
            sent |= changed
            await response.write(sse.frame("sections", json.dumps(changed)))
        if not await app[OPERATOR].streams.pause(_EVERY_S):
            return
    # Who comes again is asked for her token.
    await response.write(sse.frame("over", "{}"))


async def _is_ended(request: web.Request, session: Session) -> bool:
    """Whether she has ended it; False while the database does not say so.

    Then no page shows anything but that.
    """
    try:
        return await request.app[OPERATOR].ended.has(session.name)
    except DatabaseError:
        return False


async def _sections(request: web.Request, session: Session) -> dict[str, Markup]:
    try:
        tonight = await request.app[EVENING].take()
    except DatabaseError as error:
        log.warning("evening_not_read", error=str(error))
        last = request.app[EVENING].last
        since = "" if last is None else f" This is of {last.taken_at:%H:%M:%S} UTC."
        return {"taken": html(tag("strong", f"The database does not answer.{since}"))}
    return sections(tonight, await request.app[READINESS].check(), session.form_token)


ROUTES = (
    Route(
        method="GET",
        path="/ops/events",
        handler=get_ops_events,
        tag="operator",
        summary="What changes on the operator's page",
        security="operator",
        pages=True,
        answers=(
            Answer(
                200,
                "Server-sent events: `sections` has HTML by section, `over` ends it",
                media_types=(sse.MEDIA_TYPE,),
            ),
        ),
        errors=(OpsClosedError, OperatorRefusedError, EventStreamsFullError),
    ),
)
