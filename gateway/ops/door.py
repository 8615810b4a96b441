"""Who may come in to the operator's pages: a session, and for what changes something its form."""

from __future__ import annotations

from typing import TypeVar

from aiohttp import web

from gateway.errors import OperatorRefusedError, OpsClosedError
from gateway.keys import OPERATOR
from gateway.ops.forms import SessionForm, read_form
from gateway.ops.sessions import COOKIE, ENDED, Operator, Session

F = TypeVar("F", bound=SessionForm)


def operator_of(request: web.Request) -> Operator:
    """Who decides; raises OpsClosedError."""
    operator = request.app[OPERATOR].operator
    if operator is None:
        raise OpsClosedError
    return operator


def signed_session_of(request: web.Request) -> Session:
    """The session of the request, which may have been ended.

    Raises OpsClosedError, OperatorRefusedError.
    """
    return operator_of(request).session(request.cookies.get(COOKIE))


async def session_of(request: web.Request) -> Session:
    """The session of the request.

    Raises OpsClosedError, OperatorRefusedError, and DatabaseError where it is not to be known
    whether she has ended it.
    """
    session = signed_session_of(request)
    if await request.app[OPERATOR].ended.has(session.name):
        raise OperatorRefusedError(ENDED)
    return session


async def form_of(request: web.Request, model: type[F]) -> F:
    """The form that one of the session's own pages sent.

    Another site's page has neither the cookie (SameSite=Strict) nor the form's token. Raises
    OpsClosedError, OperatorRefusedError, BodyTypeError, BodyTooLargeError, BodySyntaxError,
    BodyInvalidError, DatabaseError.
    """
    session = await session_of(request)
    check_site(request)
    form = await read_form(request, model)
    operator_of(request).check_form(session, form.form_token)
    return form


async def end_session(request: web.Request) -> None:
    """End the session of the request, on every replica; raises as `form_of` does."""
    await form_of(request, SessionForm)
    session = signed_session_of(request)
    await request.app[OPERATOR].ended.end(session.name, session.expires_at)


def check_site(request: web.Request) -> None:
    """Raise OperatorRefusedError where the browser says that another site's page sent this."""
    # Fetch Metadata Request Headers 2.3; programs and old browsers send none.
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise OperatorRefusedError("another site's page sent this")
