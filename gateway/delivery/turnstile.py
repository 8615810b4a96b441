"""The short way of a refusal: a token or a bearer that opens nothing is told so in one write.

Strangers can have as many refusals as they like, so each costs next to nothing: it is known by the
signature or the time alone, before anything is asked of a database. It is answered as
gateway/problems.py would answer it, and counted and logged as by gateway/middleware.py.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import NamedTuple

from aiohttp.helpers import rfc822_formatted_time

from gateway.delivery.answer_heads import answer_head
from gateway.delivery.courier import ROUTE
from gateway.delivery.heads import read_head
from gateway.delivery.request_lines import RequestLines
from gateway.errors import ListenerRefusedError, StreamRefusedError
from gateway.logs import MASK
from gateway.metrics import Metrics
from gateway.problems import MEDIA_TYPE, Kind, kind_of, problem_body, problem_headers
from gateway.refusals import refusal_of
from media.errors import TokenError
from media.tokens import Tokens

# Those that are known before any purchase is: their lines and answers name none.
REFUSALS = (TokenError, StreamRefusedError, ListenerRefusedError)
Refusal = TokenError | StreamRefusedError | ListenerRefusedError

_FILLED = {"Content-Length": "%d", "X-Request-Id": "%s", "Date": "%s"}


class Asked(NamedTuple):
    """What was asked for: its route, its path without a token, and the traceparent as sent."""

    route: str
    path: str
    traceparent: str | None


class Turnstile:
    """Refuses for all connections of a process. *vary* is what all answers differ by."""

    def __init__(
        self,
        tokens: Tokens,
        clock: Callable[[], datetime],
        metrics: Metrics,
        lines: RequestLines,
        *,
        vary: Sequence[str] = (),
    ) -> None:
        self._tokens = tokens
        self._clock = clock
        self._metrics = metrics
        self._lines = lines
        self._more = {"Vary": ", ".join(vary)} if vary else {}
        # All that is the same for each error of a class.
        self._ready: dict[type[Exception], tuple[Kind, bytes]] = {}
        # Names lines of a log, and guards nothing.
        self._random = random.Random()  # noqa: S311

    def refuse_segment(self, data: bytes, began: float) -> bytes | None:
        """The refusal of the request *data*, where it asks for a segment with a wrong token.

        None where it is none, or where the token may open something.
        """
        wanted = read_head(data)
        if wanted is None:
            return None
        try:
            self._tokens.read_stream_token(wanted.token.decode("ascii"), self._clock())
        except TokenError as error:
            path = f"/stream/{MASK}/{wanted.rendition.decode('ascii')}.mp4"
            trace = None if wanted.traceparent is None else wanted.traceparent.decode("ascii")
            return self.refuse(error, Asked(ROUTE, path, trace), began)
        return None

    def refuse(self, error: Refusal, asked: Asked, began: float) -> bytes:
        """The answer to what was *asked* at *began*, by `time.perf_counter`."""
        kind, head = self._of(error)
        request_id = f"{self._random.getrandbits(64):016x}"
        body = problem_body(kind, error, request_id)
        answer = head % (len(body), request_id.encode(), rfc822_formatted_time().encode()) + body
        elapsed = time.perf_counter() - began
        metrics = self._metrics
        metrics.problems.labels(asked.route, error.code).inc()
        if refusal := refusal_of(error):
            metrics.refused.labels(*refusal).inc()
        metrics.observe(asked.route, "GET", kind.status, elapsed)
        metrics.observe_head(asked.route, elapsed)
        self._lines.write(
            request_id,
            asked.traceparent,
            route=asked.route,
            path=asked.path,
            status=kind.status,
            seconds=elapsed,
            size_bytes=len(body),
            correlation_id=None,
            refused={"code": error.code, "reason": error.reason},
        )
        return answer

    def _of(self, error: Refusal) -> tuple[Kind, bytes]:
        found = self._ready.get(type(error))
        if found is None:
            kind = kind_of(error)
            if kind is None:
                raise AssertionError("each refusal has its row in the table")
            headers = problem_headers(error) | self._more | {"Content-Type": MEDIA_TYPE} | _FILLED
            status = f"{kind.status} {HTTPStatus(kind.status).phrase}"
            found = kind, answer_head(status, headers, tuple(_FILLED))
            self._ready[type(error)] = found
        return found
