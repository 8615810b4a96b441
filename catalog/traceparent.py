"""Which trace a purchase belongs to: the traceparent of W3C Trace Context, carried through.

The partner's trace goes on through Tell: it is kept with the purchase, sent with the look-ups and
named in the log.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from structlog.contextvars import bound_contextvars

# W3C Trace Context 3.2.2: version, trace-id, parent-id, trace-flags, in lower-case hexadecimal.
_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_OUR_VERSION = "00"
# 3.2.2.1: a version that no header has.
_INVALID_VERSION = "ff"
_SPAN_BYTES = 8
_SAMPLED = 0x01
_CURRENT: ContextVar[str | None] = ContextVar("traceparent", default=None)


def read_traceparent(value: str | None) -> str | None:
    """The traceparent in our version; None where it is missing or not valid: it is then ignored.

    Of a later version the part is read that every version has ("Versioning of traceparent").
    """
    match = _FORM.fullmatch(value or "")
    if match is None:
        return None
    version, trace_id, parent_id, flags, more = match.groups()
    if version == _INVALID_VERSION or (version == _OUR_VERSION and more is not None):
        return None
    # 3.2.2.3 and 3.2.2.4: all zeros are no ids.
    if not trace_id.strip("0") or not parent_id.strip("0"):
        return None
    # Of flags only `sampled` is known to us, and the others must be sent as zero (3.2.2.5).
    sampled = int(flags, 16) & _SAMPLED
    return f"{_OUR_VERSION}-{trace_id}-{parent_id}-{sampled:02x}"


def trace_id_of(traceparent: str) -> str:
    """The trace-id of a valid traceparent, for logs."""
    return traceparent.split("-")[1]


def child_traceparent(traceparent: str) -> str:
    """What a request of ours in that trace says: the same trace, a parent-id of its own (3.4)."""
    version, trace_id, _, flags = traceparent.split("-")
    return f"{version}-{trace_id}-{_new_span_id()}-{flags}"


@contextmanager
def tracing(traceparent: str | None) -> Iterator[None]:
    """Do the block as part of that trace: its log lines name it, its requests carry it."""
    if traceparent is None:
        yield
        return
    token = _CURRENT.set(traceparent)
    try:
        with bound_contextvars(trace_id=trace_id_of(traceparent)):
            yield
    finally:
        _CURRENT.reset(token)


def trace_headers() -> dict[str, str]:
    """Headers of a request within the trace of the surrounding block; none outside of one."""
    traceparent = _CURRENT.get()
    return {} if traceparent is None else {"traceparent": child_traceparent(traceparent)}


def _new_span_id() -> str:
    while True:
        span_id = secrets.token_hex(_SPAN_BYTES)
        if span_id.strip("0"):
            return span_id
