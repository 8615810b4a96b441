"""The operator's pages as answers: never kept, never framed, and what goes wrong as a page too."""

from __future__ import annotations

from aiohttp import web

from gateway.errors import OperatorRefusedError
from gateway.logs import masked_text
from gateway.ops.layout import POLICY, fault_page, login_page
from gateway.ops.sessions import NO_SESSION
from gateway.problems import Kind

PATH = "/ops"
_KEPT_HEADERS = ("Retry-After", "WWW-Authenticate", "Allow")


def is_page(path: str) -> bool:
    """Whether a person asks for that path."""
    return path == PATH or path.startswith(f"{PATH}/")


def page_response(text: str, status: int = 200) -> web.Response:
    """A page."""
    return web.Response(
        status=status,
        text=text,
        content_type="text/html",
        charset="utf-8",
        headers={"Cache-Control": "no-store", "Content-Security-Policy": POLICY},
    )


def see_other(location: str) -> web.Response:
    """Go on there, by GET (RFC 9110 15.4.4): a page that is loaded again does nothing twice."""
    return web.Response(status=303, headers={"Location": location, "Cache-Control": "no-store"})


def problem_page(
    problem: web.Response, kind: Kind, error: Exception, correlation_id: str
) -> web.Response:
    """The page that says what *problem* says to programs."""
    if isinstance(error, OperatorRefusedError):
        # Who was never in is asked for her token, and not told that it was wrong.
        fault = kind.detail if error.reason != NO_SESSION else None
        text = login_page(fault)
    else:
        text = fault_page(kind.title, kind.detail or masked_text(str(error)), correlation_id)
    response = page_response(text, kind.status)
    for name in _KEPT_HEADERS:
        if name in problem.headers:
            response.headers[name] = problem.headers[name]
    if problem.keep_alive is False:
        response.force_close()
    return response
