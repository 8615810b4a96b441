"""Around every request: its id, its log line, its metrics, its headers, and errors as problems."""

from __future__ import annotations

import secrets
import time

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from structlog.contextvars import bound_contextvars, unbind_contextvars

from catalog.errors import WebhookError
from gateway.errors import AccessError
from gateway.headers import EVERY_ANSWER, UNLESS_SAID
from gateway.keys import (
    ANSWER_BEGUN,
    BEGAN_AT,
    CORRELATION_ID,
    METRICS,
    REFUSED,
    REQUEST_ID,
    STANDINGS,
)
from gateway.logs import masked_path
from gateway.ops.answers import is_page, problem_page
from gateway.problems import INTERNAL, Kind, http_kind, kind_of, problem_response
from gateway.refusals import refusal_of
from gateway.routing import pattern_of
from gateway.throttling import rate_limit_headers
from gateway.tracing import trace_fields
from media.errors import StorageError, TokenError

log = structlog.get_logger(__name__)

# nginx's number for a client that went away before its answer; HTTP has none.
_CLIENT_GONE = 499


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, and write its log line and metrics when it is answered."""
    request_id = secrets.token_hex(8)
    request[REQUEST_ID] = request_id
    metrics = request.app[METRICS]
    started = request[BEGAN_AT] = time.perf_counter()
    status = _CLIENT_GONE
    size: int | None = None
    names = {"request_id": request_id, **trace_fields(request)}
    with bound_contextvars(**names), metrics.requests_running.track_inprogress():
        try:
            response = await handler(request)
            status, size = response.status, response.content_length
            return response
        finally:
            elapsed = time.perf_counter() - started
            route = pattern_of(request)
            metrics.observe(route, request.method, status, elapsed)
            log.info(
                "request",
                method=request.method[:16],
                route=route,
                path=masked_path(request.rel_url.raw_path),
                status=status,
                duration_ms=round(elapsed * 1000, 2),
                size_bytes=size,
                correlation_id=request.get(CORRELATION_ID),
                **request.get(REFUSED, {}),
            )
            # The next request of this connection is another's: it runs in the same context.
            unbind_contextvars("correlation_id")


@web.middleware
async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn errors into problem details by the one table."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _answer(request, http_kind(error), error)
    except ConnectionError:
        # The client went away: there is nobody to answer.
        raise
    except Exception as error:
        # The edge, the one place that meets every bug: a logged traceback, a 500 that says nothing.
        kind = kind_of(error)
        if kind is None:
            log.exception("bug", route=pattern_of(request))
            return _answer(request, INTERNAL, error)
        return _answer(request, kind, error)


def _answer(request: web.Request, kind: Kind, error: Exception) -> web.Response:
    code = getattr(error, "code", kind.code)
    route = pattern_of(request)
    metrics = request.app[METRICS]
    metrics.problems.labels(route, code).inc()
    if refusal := refusal_of(error):
        metrics.refused.labels(*refusal).inc()
    elif isinstance(error, StorageError):
        metrics.storage_errors.labels(code).inc()
    if isinstance(error, AccessError | TokenError | WebhookError):
        # Into the request's own line: strangers can have as many as they like.
        request[REFUSED] = {"code": code, "reason": error.reason}
    elif kind.status >= 500 and kind is not INTERNAL:
        log.error("unavailable", code=code, error=str(error), route=route)
    if ANSWER_BEGUN in request:
        # A second head would stand in the middle of the first body: cut the connection instead, so
        # that the client sees a short answer and asks again for the rest.
        log.error("answer_cut", code=code, route=route)
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionAbortedError("the answer broke off") from error
    correlation_id = _correlation(request, error)
    problem = problem_response(kind, error, correlation_id)
    return problem_page(problem, kind, error, correlation_id) if is_page(request.path) else problem


def _correlation(request: web.Request, error: Exception) -> str:
    """The purchase's id where one is known, else the request's."""
    known = getattr(error, "correlation_id", None) or request.get(CORRELATION_ID)
    return known or request[REQUEST_ID]


async def set_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Headers of every answer, streamed ones too (an on_response_prepare signal)."""
    request[ANSWER_BEGUN] = True
    if BEGAN_AT in request:
        elapsed = time.perf_counter() - request[BEGAN_AT]
        request.app[METRICS].observe_head(pattern_of(request), elapsed)
    headers = response.headers
    headers.update(EVERY_ANSWER)
    if REQUEST_ID in request:
        headers["X-Request-Id"] = request[REQUEST_ID]
    if STANDINGS in request:
        headers.update(rate_limit_headers(request[STANDINGS]))
    for name, value in UNLESS_SAID.items():
        headers.setdefault(name, value)


MIDDLEWARES = (observe, answer_problems)
