"""The short way of a join: the grant and the playlists that a player asks before its first sound.

An nginx that sends the segments itself has its decisions from here, too.
As with segments (courier.py), it answers only what it understands beyond doubt, and as the handlers
in gateway/routes would answer it. Whose token or bearer is wrong is sent away at the turnstile,
segments too; what fails otherwise goes to the handlers to be told why. What is counted, logged and
traced is the same.
"""

from __future__ import annotations

import random
import time
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from aiohttp.helpers import rfc822_formatted_time

from catalog.errors import CatalogError
from gateway.bearers import listener_by
from gateway.delivery.answer_heads import answer_head
from gateway.delivery.asks import DecisionAsk, GrantAsk, PlaylistAsk, read_ask
from gateway.delivery.passes import Passes
from gateway.delivery.request_lines import RequestLines
from gateway.delivery.turnstile import REFUSALS, Asked, Turnstile
from gateway.errors import GatewayError
from gateway.grants import Grants
from gateway.headers import decision_headers, private_headers
from gateway.logs import MASK, masked_path
from gateway.metrics import Metrics
from gateway.negotiation import preferred_type
from gateway.playlists import MULTIVARIANT_VARY, MediaPlaylists, multivariant, packed_text
from gateway.present import GRANT_OFFERS, GRANT_VARY, JSON, grant_view
from media import hls
from media.errors import MediaError
from media.tokens import Tokens

GRANT_ROUTE = "/media/audio/{movieId}"
_MULTIVARIANT: Mapping[str, Literal["aac", "opus"]] = {"main": "aac", "opus": "opus"}
_DECISION_ROUTE = "/stream/{token}/decision"
_EACH = {"X-Request-Id": "%s", "Date": "%s"}
_FILLED = {"Content-Length": "%d", **_EACH}


class _Ready(NamedTuple):
    """An answer: the head to be filled, with *filling* first, the body, and whose it is."""

    status: int
    head: bytes
    filling: tuple[int | bytes, ...]
    body: bytes
    correlation_id: str


class Usher:
    """Answers for all connections of a process. *vary* is what all answers differ by.

    Decisions hold for *decision_s* seconds at most; None where nobody asks for them.
    """

    def __init__(
        self,
        grants: Grants,
        passes: Passes,
        tokens: Tokens,
        turnstile: Turnstile,
        playlists: MediaPlaylists,
        metrics: Metrics,
        lines: RequestLines,
        *,
        vary: Sequence[str] = (),
        decision_s: int | None = None,
    ) -> None:
        self._grants = grants
        self._passes = passes
        self._tokens = tokens
        self._turnstile = turnstile
        self._playlists = playlists
        self._metrics = metrics
        self._lines = lines
        # Names lines of a log, and guards nothing.
        self._random = random.Random()  # noqa: S311
        self._decision_s = decision_s
        decided = decision_headers("%s", "%d", *vary)
        self._decided = answer_head(
            "204 No Content", decided | _EACH, ("X-Tell-Track", "X-Accel-Expires", *_EACH)
        )
        self._json = _head(JSON, private_headers(*GRANT_VARY, *vary))
        self._multivariant, self._media = (
            {
                packed: _head(
                    hls.MEDIA_TYPE,
                    private_headers(*chosen_by, "Accept-Encoding", *vary, packed=packed),
                )
                for packed in (False, True)
            }
            for chosen_by in (MULTIVARIANT_VARY, ())
        )

    def answer(self, data: bytes) -> bytes | Coroutine[Any, Any, bytes | None] | None:
        """The answer to the request *data*, or what will answer it.

        None, now or then, sends it the long way.
        """
        began = time.perf_counter()
        asked = read_ask(data)
        if asked is None:
            return self._turnstile.refuse_segment(data, began)
        ask = asked.ask
        if isinstance(asked, PlaylistAsk):
            name = asked.name if asked.name in _MULTIVARIANT else "{rendition}"
            route, path = f"/stream/{{token}}/{name}.m3u8", f"/stream/{MASK}/{asked.name}.m3u8"
            return self._say(Asked(route, path, ask.traceparent), began, self._playlist(asked))
        if isinstance(asked, DecisionAsk):
            if self._decision_s is None:
                return None
            decision = Asked(_DECISION_ROUTE, f"/stream/{MASK}/decision", ask.traceparent)
            return self._say(decision, began, self._decide(asked, self._decision_s))
        if preferred_type(ask.accept, GRANT_OFFERS) != JSON:
            return None
        grant = Asked(GRANT_ROUTE, masked_path(ask.path), ask.traceparent)
        return self._say(grant, began, self._grant(asked))

    async def _say(
        self, asked: Asked, began: float, make: Coroutine[Any, Any, _Ready]
    ) -> bytes | None:
        try:
            with self._metrics.requests_running.track_inprogress():
                ready = await make
        except REFUSALS as error:
            return self._turnstile.refuse(error, asked, began)
        except (GatewayError, MediaError, CatalogError):
            return None
        request_id = f"{self._random.getrandbits(64):016x}"
        head = ready.head % (
            *ready.filling,
            request_id.encode(),
            rfc822_formatted_time().encode(),
        )
        elapsed = time.perf_counter() - began
        self._metrics.observe(asked.route, "GET", ready.status, elapsed)
        self._metrics.observe_head(asked.route, elapsed)
        self._lines.write(
            request_id,
            asked.traceparent,
            route=asked.route,
            path=asked.path,
            status=ready.status,
            seconds=elapsed,
            size_bytes=len(ready.body),
            correlation_id=ready.correlation_id,
        )
        return head + ready.body

    async def _grant(self, asked: GrantAsk) -> _Ready:
        listener = listener_by(asked.authorization, self._tokens)
        generation = self._passes.generation
        grant = await self._grants.grant(listener, asked.movie_id, asked.ticket, None)
        opening = grant.opening
        self._passes.admit(grant.stream_token, opening, generation)
        self._metrics.grants.labels(opening.place.phase).inc()
        body = grant_view(grant).model_dump_json().encode()
        return _whole(self._json, body, asked.ticket)

    async def _decide(self, asked: DecisionAsk, most_s: int) -> _Ready:
        opening = await self._grants.open_file(asked.token)
        filling = (opening.track.prefix.encode(), opening.kept_s(most_s))
        return _Ready(204, self._decided, filling, b"", opening.ticket.correlation_id)

    async def _playlist(self, asked: PlaylistAsk) -> _Ready:
        codec = _MULTIVARIANT.get(asked.name)
        if codec is None:
            return await self._media_playlist(asked)
        opening = await self._grants.open_playlist(asked.token)
        text = multivariant(opening, codec, self._grants.stream_token(opening))
        body = packed_text(text, packed=asked.ask.gzip)
        self._metrics.playlists.labels(codec).inc()
        self._metrics.joins.labels(opening.place.phase.value).inc()
        head = self._multivariant[asked.ask.gzip]
        return _whole(head, body, opening.ticket.correlation_id)

    async def _media_playlist(self, asked: PlaylistAsk) -> _Ready:
        opening = await self._grants.open_stream(asked.token)
        rendition = opening.rendition(asked.name)
        body = self._playlists.body(opening, rendition, packed=asked.ask.gzip)
        self._metrics.playlists.labels("media").inc()
        head = self._media[asked.ask.gzip]
        return _whole(head, body, opening.ticket.correlation_id)


def _whole(head: bytes, body: bytes, correlation_id: str) -> _Ready:
    """A 200 with a body."""
    return _Ready(200, head, (len(body),), body, correlation_id)


def _head(media_type: str, headers: dict[str, str]) -> bytes:
    every = headers | {"Content-Type": media_type} | _FILLED
    return answer_head("200 OK", every, tuple(_FILLED))
