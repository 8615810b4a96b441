"""The trace that a request is part of, by its traceparent header (W3C Trace Context 3.2)."""

from __future__ import annotations

from aiohttp import web

from catalog.traceparent import read_traceparent, trace_id_of


def traceparent_of(request: web.Request) -> str | None:
    """The request's traceparent; None where it has none, several, or one that is not valid."""
    values = request.headers.getall("traceparent", ())
    return read_traceparent(values[0]) if len(values) == 1 else None


def trace_fields(request: web.Request) -> dict[str, str]:
    """What the request's log lines say of its trace."""
    traceparent = traceparent_of(request)
    return {} if traceparent is None else {"trace_id": trace_id_of(traceparent)}
