"""The log's lines of segments."""

from __future__ import annotations

import io
import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from gateway.delivery.courier import ROUTE
from gateway.delivery.request_lines import RequestLines

SEGMENT = {"status": 206, "size_bytes": 48_000, "correlation_id": "c" * 20}
REFUSAL = {"status": 403, "size_bytes": 274, "correlation_id": None}
WHY = {"code": "token-invalid", "reason": 'it says "k1"'}


@pytest.mark.parametrize(("told", "refused"), [(SEGMENT, {}), (REFUSAL, WHY)])
async def test_a_line_is_that_of_any_request(
    stream: io.StringIO, told: dict[str, Any], refused: dict[str, str]
) -> None:
    """The same fields, in the same form, with the trace; written when flushed, and once."""
    lines = RequestLines(lambda: datetime.now(UTC))
    where = {"route": ROUTE, "path": "/stream/[masked]/aac-64k.mp4"}
    given: dict[str, Any] = {**where, **told, "refused": refused}
    lines.write("1" * 16, f"00-{'2' * 32}-{'4' * 16}-01", seconds=0.00012, **given)
    lines.write("3" * 16, None, seconds=0.5, **given)
    lines.flush()
    lines.flush()
    written = stream.getvalue().splitlines()
    structlog.get_logger("gateway.middleware").info(
        "request",
        method="GET",
        duration_ms=0.12,
        request_id="1" * 16,
        trace_id="2" * 32,
        **where,
        **told,
        **refused,
    )
    (wanted,) = stream.getvalue().splitlines()[2:]
    assert len(written) == 2
    if wanted.startswith("{"):
        ours, theirs, second = json.loads(written[0]), json.loads(wanted), json.loads(written[1])
        assert len(ours.pop("timestamp")) == len(theirs.pop("timestamp"))
        assert ours == theirs
        assert "trace_id" not in second
        assert second["duration_ms"] == 500.0
    else:
        assert written[0].partition(" [")[2] == wanted.partition(" [")[2]


@pytest.mark.parametrize("stream", ["json"], indirect=True)
async def test_nothing_is_written_where_requests_are_not_logged(stream: io.StringIO) -> None:
    """At `warning` a segment leaves no line."""
    logging.getLogger().setLevel("WARNING")
    lines = RequestLines(lambda: datetime.now(UTC))
    lines.write(
        *("1" * 16, None),
        route=ROUTE,
        path="p",
        status=206,
        seconds=1.0,
        size_bytes=1,
        correlation_id="c",
    )
    lines.flush()
    assert stream.getvalue() == ""
