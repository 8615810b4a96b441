"""What every answer of the short ways has: an id, a date, a line in the log, a place in the counts.

As gateway/middleware.py has it for all others.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from aiohttp.helpers import rfc822_formatted_time

from gateway.delivery.request_lines import RequestLines
from gateway.metrics import Metrics

# What a prepared head ends with, to be filled here (answer_heads.py).
FILLED = {"X-Request-Id": "%s", "Date": "%s"}
_NOT_REFUSED: Mapping[str, str] = MappingProxyType({})


class Asked(NamedTuple):
    """What was asked for: its route, its path without a token, and the traceparent as sent."""

    route: str
    path: str
    traceparent: str | None


class Reply(NamedTuple):
    """An answer: the head to be filled, with *filling* first, the body, and whose it is.

    *refused* is the code and the reason of a refusal.
    """

    status: int
    head: bytes
    filling: tuple[int | bytes, ...]
    body: bytes
    correlation_id: str | None
    refused: Mapping[str, str] = _NOT_REFUSED


class Clerk:
    """Completes answers for all connections of a process."""

    def __init__(self, metrics: Metrics, lines: RequestLines) -> None:
        self._metrics = metrics
        self._lines = lines
        # Names lines of a log, and guards nothing.
        self._random = random.Random()  # noqa: S311

    def request_id(self) -> str:
        """A new one."""
        return f"{self._random.getrandbits(64):016x}"

    def complete(self, reply: Reply, asked: Asked, request_id: str, began: float) -> bytes:
        """The bytes to send; *began* is by `time.perf_counter`."""
        head = reply.head % (
            *reply.filling,
            request_id.encode(),
            rfc822_formatted_time().encode(),
        )
        elapsed = time.perf_counter() - began
        self._metrics.observe(asked.route, "GET", reply.status, elapsed)
        self._metrics.observe_head(asked.route, elapsed)
        self._lines.write(
            request_id,
            asked.traceparent,
            route=asked.route,
            path=asked.path,
            status=reply.status,
            seconds=elapsed,
            size_bytes=len(reply.body),
            correlation_id=reply.correlation_id,
            refused=reply.refused,
        )
        return head + reply.body
