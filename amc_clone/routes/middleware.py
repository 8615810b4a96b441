"""What every request goes through: its log line, errors, the same-origin rule, safe headers."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import urlsplit

import structlog
from aiohttp import hdrs, web

from amc_clone.errors import AmcError, ForeignOriginError
from amc_clone.routes.problems import error_response, refusal, refusal_body, status_of

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = structlog.get_logger(__name__)

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Everything comes from here; nothing is inline, nothing is framed, forms go home.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    # Kept where a route does not say otherwise: an id in an address leads to a secret.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@web.middleware
async def log_requests(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """One line for each request, with the route's pattern: a path may hold a purchase_id."""
    started = time.perf_counter()
    status = int(HTTPStatus.INTERNAL_SERVER_ERROR)
    try:
        response = await handler(request)
        status = response.status
        return response
    finally:
        resource = request.match_info.route.resource
        _log.info(
            "request",
            method=request.method,
            route=None if resource is None else resource.canonical,
            status=status,
            duration_ms=round((time.perf_counter() - started) * 1000, 1),
        )


@web.middleware
async def answer_errors(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Turn our errors, and aiohttp's own 404, 405 and 413, into answers by the table."""
    try:
        return await handler(request)
    except AmcError as error:
        status = status_of(error)
        if status is None:
            raise
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("request.failed", code=error.code, error=str(error))
        return error_response(request, error, status)
    except web.HTTPClientError as error:
        status = HTTPStatus(error.status)
        code = status.phrase.lower().replace(" ", "-")
        response = refusal(request, status, code, status.description or status.phrase)
        if hdrs.ALLOW in error.headers:
            response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
        return response


@web.middleware
async def require_same_origin(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Refuse a request that changes something and was sent by a page of another site.

    A browser says so in Sec-Fetch-Site (Fetch Metadata 2.4) or, older or without TLS, in Origin
    (RFC 6454 7). A program that sends neither has no one's cookies or trust to abuse.
    """
    if request.method not in _SAFE_METHODS and _is_foreign(request):
        raise ForeignOriginError
    return await handler(request)


def _is_foreign(request: web.Request) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        # "none": the user's own doing, such as a bookmark.
        return site not in {"same-origin", "none"}
    origin = request.headers.get(hdrs.ORIGIN)
    return origin is not None and _authority(origin) != request.host


def _authority(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


async def finish_response(request: web.Request, response: web.StreamResponse) -> None:
    """Give every answer its safe headers, and one that a bug left behind our form.

    Nothing here answers 500 of itself: aiohttp does, when it has logged the bug's traceback.
    """
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if response.status == HTTPStatus.INTERNAL_SERVER_ERROR and isinstance(response, web.Response):
        media_type, body = refusal_body(
            request,
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "internal",
            "something went wrong here; it is logged, and trying again may help",
        )
        response.content_type = media_type
        response.body = body
        response.headers[hdrs.CONTENT_LENGTH] = str(len(body))
