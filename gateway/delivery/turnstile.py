"""The short way of a refusal: a token or a bearer that opens nothing is told so in one write.

Strangers can have as many refusals as they like, so each costs next to nothing: it is known by the
signature or the time alone, before anything is asked of a database. It is answered as
gateway/problems.py would answer it, and counted and logged as by gateway/middleware.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus

from gateway.delivery.answer_heads import answer_head
from gateway.delivery.clerk import FILLED, Asked, Clerk, Reply
from gateway.delivery.courier import ROUTE
from gateway.delivery.heads import read_head
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

_FILLED = {"Content-Length": "%d", **FILLED}


class Turnstile:
    """Refuses for all connections of a process. *vary* is what all answers differ by."""

    def __init__(
        self,
        tokens: Tokens,
        clock: Callable[[], datetime],
        metrics: Metrics,
        clerk: Clerk,
        *,
        vary: Sequence[str] = (),
    ) -> None:
        self._tokens = tokens
        self._clock = clock
        self._metrics = metrics
        self._clerk = clerk
        self._more = {"Vary": ", ".join(vary)} if vary else {}
        # All that is the same for each error of a class.
        self._ready: dict[type[Exception], tuple[Kind, bytes]] = {}

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
        request_id = self._clerk.request_id()
        body = problem_body(kind, error, request_id)
        self._metrics.problems.labels(asked.route, error.code).inc()
        if refusal := refusal_of(error):
            self._metrics.refused.labels(*refusal).inc()
        refused = {"code": error.code, "reason": error.reason}
        reply = Reply(kind.status, head, (len(body),), body, None, refused)
        return self._clerk.complete(reply, asked, request_id, began)

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
