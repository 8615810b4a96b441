"""The one table that turns errors into answers: RFC 9457 for programs, a page for people."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from aiohttp import web

from amc_clone.errors import (
    AmcError,
    DatabaseError,
    ForeignOriginError,
    InvalidInputError,
    NotFoundError,
    SaleError,
    ScheduleError,
)
from amc_clone.pages.error_page import error_page

PROBLEM_JSON = "application/problem+json"
# These answer programs alone, whatever they say that they accept.
_API_PREFIXES = ("/api/", "/screening/", "/time", "/healthz", "/openapi.json")

_STATUS: dict[type[AmcError], HTTPStatus] = {
    InvalidInputError: HTTPStatus.BAD_REQUEST,
    ForeignOriginError: HTTPStatus.FORBIDDEN,
    NotFoundError: HTTPStatus.NOT_FOUND,
    SaleError: HTTPStatus.CONFLICT,
    ScheduleError: HTTPStatus.CONFLICT,
    DatabaseError: HTTPStatus.SERVICE_UNAVAILABLE,
}
# What the database says is for the log.
_SAYS_NOTHING: dict[type[AmcError], str] = {
    DatabaseError: "the service cannot reach its database; try again in a moment",
}


def status_of(error: AmcError) -> HTTPStatus | None:
    """The status of *error*, by its nearest class in the table; None for one that is a bug here."""
    return next((_STATUS[base] for base in type(error).__mro__ if base in _STATUS), None)


def error_response(request: web.Request, error: AmcError, status: HTTPStatus) -> web.Response:
    """The answer to a request that ended in *error*."""
    detail = _SAYS_NOTHING.get(type(error), str(error))
    more: dict[str, Any] = {}
    if isinstance(error, InvalidInputError):
        more["errors"] = [{"name": field.name, "detail": field.detail} for field in error.fields]
    return refusal(request, status, error.code, detail, more)


def refusal(
    request: web.Request,
    status: HTTPStatus,
    code: str,
    detail: str,
    more: dict[str, Any] | None = None,
) -> web.Response:
    """A refusal as a page where a person reads it, as problem+json anywhere else."""
    media_type, body = refusal_body(request, status, code, detail, more)
    return web.Response(
        status=status,
        body=body,
        content_type=media_type,
        charset="utf-8" if media_type == "text/html" else None,
    )


def refusal_body(
    request: web.BaseRequest,
    status: HTTPStatus,
    code: str,
    detail: str,
    more: dict[str, Any] | None = None,
) -> tuple[str, bytes]:
    """Media type and bytes of a refusal."""
    if _is_for_people(request):
        return "text/html", error_page(status, detail).encode()
    # RFC 9457 3.1: "about:blank" says that the title is the status's own; `code` is what is stable.
    problem = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        "code": code,
    } | (more or {})
    return PROBLEM_JSON, json.dumps(problem).encode()


def _is_for_people(request: web.BaseRequest) -> bool:
    return not request.path.startswith(_API_PREFIXES) and "text/html" in request.headers.get(
        "Accept", ""
    )
