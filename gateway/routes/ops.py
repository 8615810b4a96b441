"""`/ops`: the operator's first page, her log-in, and the files of the pages."""

from __future__ import annotations

from typing import Literal

from aiohttp import web
from pydantic import BaseModel

from catalog.errors import DatabaseError
from gateway.bodies import read_query
from gateway.errors import (
    BodyInvalidError,
    BodyLateError,
    BodySyntaxError,
    BodyTooLargeError,
    BodyTypeError,
    OperatorRefusedError,
    OpsClosedError,
    QueryError,
    RateLimitedError,
)
from gateway.keys import EVENING, OPERATOR, POLICIES, PUBLIC_URL, READINESS
from gateway.negotiation import accepts_gzip
from gateway.ops.answers import page_response, see_other
from gateway.ops.board_page import board_page
from gateway.ops.door import check_site, end_session, operator_of, session_of
from gateway.ops.forms import LoginForm, SessionForm, read_form
from gateway.ops.sessions import COOKIE, LIFETIME
from gateway.routing import Answer, Route
from gateway.throttling import check_throttle, client_of, throttle

_DONE = {"retried": "It is being looked up again.", "nothing": "No purchase is parked."}


class BoardQuery(BaseModel):
    """What was done just now, for the page to say."""

    done: Literal["", "retried", "nothing"] = ""


async def get_board(request: web.Request) -> web.Response:
    """Tonight: alarms, screenings, parked purchases, changes, parts."""
    session = await session_of(request)
    done = read_query(request, BoardQuery).done
    tonight = await request.app[EVENING].take()
    ready = await request.app[READINESS].check()
    said = _DONE.get(done)
    return page_response(board_page(tonight, ready, session.form_token, said))


async def get_login(request: web.Request) -> web.Response:
    """Lead to the page, which asks for the token where nobody is in."""
    operator_of(request)
    return see_other("/ops")


async def post_login(request: web.Request) -> web.Response:
    """Open a session for the operator's token."""
    operator, policy = operator_of(request), request.app[POLICIES].ops_logins_ip
    await check_throttle(request, policy, client_of(request))
    check_site(request)
    form = await read_form(request, LoginForm)
    try:
        cookie = operator.admit(form.token)
    except OperatorRefusedError:
        # Only wrong ones count. Beyond the limit even this one is not answered.
        await throttle(request, policy, client_of(request))
        raise
    response = see_other("/ops")
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=int(LIFETIME.total_seconds()),
        path="/ops",
        httponly=True,
        samesite="Strict",
        secure=request.app[PUBLIC_URL].value.startswith("https:"),
    )
    return response


async def post_logout(request: web.Request) -> web.Response:
    """End the session, on every replica, and forget it on this device."""
    await end_session(request)
    response = see_other("/ops")
    response.del_cookie(COOKIE, path="/ops", httponly=True, samesite="Strict")
    return response


async def get_ops_file(request: web.Request) -> web.Response:
    """Send a style or a script of the pages."""
    page = request.app[OPERATOR].files.page(request.match_info["path"])
    if page is None:
        raise web.HTTPNotFound
    packed = page.packed if accepts_gzip(request.headers.get("Accept-Encoding")) else None
    headers = {"Content-Type": page.media_type, "Cache-Control": "no-cache"}
    headers["Vary"] = "Accept-Encoding"
    if packed is not None:
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=page.body if packed is None else packed, headers=headers)


PAGE = ("text/html",)
FORM_ERRORS: tuple[type[Exception], ...] = (
    OpsClosedError,
    OperatorRefusedError,
    BodyTypeError,
    BodyTooLargeError,
    BodyLateError,
    BodySyntaxError,
    BodyInvalidError,
)

ROUTES = (
    Route(
        method="GET",
        path="/ops",
        handler=get_board,
        tag="operator",
        summary="Tonight, for the operator",
        security="operator",
        query=BoardQuery,
        pages=True,
        answers=(Answer(200, "A page that follows by itself", media_types=PAGE),),
        errors=(OpsClosedError, OperatorRefusedError, QueryError, DatabaseError),
    ),
    Route(
        method="GET",
        path="/ops/login",
        handler=get_login,
        tag="operator",
        summary="To the page that asks for the token",
        pages=True,
        answers=(Answer(303, "To /ops"),),
        errors=(OpsClosedError,),
    ),
    Route(
        method="POST",
        path="/ops/login",
        handler=post_login,
        tag="operator",
        summary="Open a session for the operator's token",
        form=LoginForm,
        pages=True,
        answers=(Answer(303, "To /ops, with the session's cookie"),),
        errors=(*FORM_ERRORS, RateLimitedError),
    ),
    Route(
        method="POST",
        path="/ops/logout",
        handler=post_logout,
        tag="operator",
        summary="End the session",
        security="operator",
        form=SessionForm,
        pages=True,
        answers=(Answer(303, "To /ops"),),
        errors=(*FORM_ERRORS, DatabaseError),
    ),
    Route(
        method="GET",
        path="/ops/static/{path:[a-z0-9._-]+}",
        handler=get_ops_file,
        tag="operator",
        summary="A file of the operator's pages",
        pages=True,
        answers=(Answer(200, "Style or script", media_types=("*/*",)),),
    ),
)
