"""The short way of a join: the grant and the playlists that a player asks before its first sound.

An nginx that sends the segments itself has its decisions from here, too.
As with segments (courier.py), it answers only what it understands beyond doubt, and as the handlers
in gateway/routes would answer it. A token that was found good before, or made here, is answered at
once where nothing was written to the database since the last look. Whose token or bearer is wrong
is sent away at the turnstile, segments too; what fails otherwise goes to the handlers to be told
why. What is counted, logged and traced is the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar

from catalog.errors import CatalogError
from gateway.bearers import listener_by
from gateway.delivery.answer_heads import answer_head
from gateway.delivery.asks import DecisionAsk, GrantAsk, PlaylistAsk, read_ask
from gateway.delivery.clerk import FILLED, Asked, Clerk, Reply
from gateway.delivery.entitlements import Entitlements
from gateway.delivery.passes import Passes
from gateway.delivery.turnstile import REFUSALS, Turnstile
from gateway.errors import GatewayError
from gateway.grants import Grant, Grants, Opening
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
_FILLED = {"Content-Length": "%d", **FILLED}


A = TypeVar("A", DecisionAsk, GrantAsk, PlaylistAsk)


class Usher:
    """Answers for all connections of a process. *vary* is what all answers differ by.

    Decisions hold for *decision_s* seconds at most; None where nobody asks for them.
    """

    def __init__(
        self,
        grants: Grants,
        entitlements: Entitlements,
        passes: Passes,
        tokens: Tokens,
        turnstile: Turnstile,
        playlists: MediaPlaylists,
        clock: Callable[[], datetime],
        metrics: Metrics,
        clerk: Clerk,
        *,
        vary: Sequence[str] = (),
        decision_s: int | None = None,
    ) -> None:
        self._grants = grants
        self._entitlements = entitlements
        self._passes = passes
        self._tokens = tokens
        self._turnstile = turnstile
        self._playlists = playlists
        self._clock = clock
        self._metrics = metrics
        self._clerk = clerk
        self._decision_s = decision_s
        decided = decision_headers("%s", "%d", *vary)
        self._decided = answer_head(
            "204 No Content", decided | FILLED, ("X-Tell-Track", "X-Accel-Expires", *FILLED)
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
        ask = read_ask(data)
        if ask is None:
            return self._turnstile.refuse_segment(data, began)
        if isinstance(ask, GrantAsk):
            if preferred_type(ask.ask.accept, GRANT_OFFERS) != JSON:
                return None
            asked = Asked(GRANT_ROUTE, masked_path(ask.ask.path), ask.ask.traceparent)
            return self._say(asked, began, self._known_grant, self._grant, ask)
        if isinstance(ask, DecisionAsk):
            if self._decision_s is None:
                return None
            asked = Asked(_DECISION_ROUTE, f"/stream/{MASK}/decision", ask.ask.traceparent)
            return self._say(asked, began, self._known_decision, self._decide, ask)
        name = ask.name if ask.name in _MULTIVARIANT else "{rendition}"
        route, path = f"/stream/{{token}}/{name}.m3u8", f"/stream/{MASK}/{ask.name}.m3u8"
        asked = Asked(route, path, ask.ask.traceparent)
        return self._say(asked, began, self._known_playlist, self._playlist, ask)

    def _say(
        self,
        asked: Asked,
        began: float,
        at_once: Callable[[A], Reply | None],
        later: Callable[[A], Coroutine[Any, Any, Reply]],
        ask: A,
    ) -> bytes | Coroutine[Any, Any, bytes | None] | None:
        """What is known *at_once*, else what will be known *later*."""
        try:
            reply = at_once(ask)
        except REFUSALS as error:
            return self._turnstile.refuse(error, asked, began)
        except (GatewayError, MediaError):
            return None
        if reply is None:
            return self._say_later(asked, began, later(ask))
        return self._clerk.complete(reply, asked, self._clerk.request_id(), began)

    async def _say_later(
        self, asked: Asked, began: float, make: Coroutine[Any, Any, Reply]
    ) -> bytes | None:
        try:
            with self._metrics.requests_running.track_inprogress():
                reply = await make
        except REFUSALS as error:
            return self._turnstile.refuse(error, asked, began)
        except (GatewayError, MediaError, CatalogError):
            return None
        return self._clerk.complete(reply, asked, self._clerk.request_id(), began)

    def _known_grant(self, ask: GrantAsk) -> Reply | None:
        listener = listener_by(ask.authorization, self._tokens)
        generation = self._passes.generation
        grant = self._grants.grant_at_once(listener, ask.movie_id, ask.ticket, None)
        return None if grant is None else self._granted(grant, generation)

    async def _grant(self, ask: GrantAsk) -> Reply:
        listener = listener_by(ask.authorization, self._tokens)
        generation = self._passes.generation
        grant = await self._grants.grant(listener, ask.movie_id, ask.ticket, None)
        return self._granted(grant, generation)

    def _granted(self, grant: Grant, generation: int) -> Reply:
        self._passes.admit_all(grant, generation)
        self._metrics.count(self._metrics.grants, grant.opening.place.phase)
        body = grant_view(grant).model_dump_json().encode()
        return _whole(self._json, body, grant.opening.ticket.correlation_id)

    def _known_decision(self, ask: DecisionAsk) -> Reply | None:
        found = self._passes.find(ask.token.encode("ascii"), self._clock())
        return None if found is None else self._decision(found.opening.at(self._clock()))

    async def _decide(self, ask: DecisionAsk) -> Reply:
        generation = self._passes.generation
        opening = await self._grants.open_file(ask.token)
        self._passes.admit(ask.token, opening, generation)
        return self._decision(opening)

    def _decision(self, opening: Opening) -> Reply:
        kept_s = opening.kept_s(self._decision_s or 0)
        filling = (opening.track.prefix.encode(), kept_s)
        return Reply(204, self._decided, filling, b"", opening.ticket.correlation_id)

    def _known_playlist(self, ask: PlaylistAsk) -> Reply | None:
        return self._kept_playlist(ask) if self._entitlements.is_fresh() else None

    def _kept_playlist(self, ask: PlaylistAsk) -> Reply | None:
        """What a token opens that was found good before, as the ticket is known."""
        now = self._clock()
        codec = _MULTIVARIANT.get(ask.name)
        if codec is not None:
            invited = self._passes.invitation(ask.token, now)
            if invited is None:
                return None
            return self._begin(ask, codec, invited.opening.at(now), invited.stream_token)
        found = self._passes.find(ask.token.encode("ascii"), now)
        return None if found is None else self._go_on(ask, found.opening.at(now))

    async def _playlist(self, ask: PlaylistAsk) -> Reply:
        codec = _MULTIVARIANT.get(ask.name)
        if self._passes.knows(ask.token, access=codec is not None):
            # Whoever asks meanwhile shares the look.
            await self._entitlements.be_fresh()
            kept = self._kept_playlist(ask)
            if kept is not None:
                return kept
        generation = self._passes.generation
        if codec is None:
            opening = await self._grants.open_stream(ask.token)
            self._passes.admit(ask.token, opening, generation)
            return self._go_on(ask, opening)
        opening = await self._grants.open_playlist(ask.token)
        stream_token = self._grants.stream_token(opening)
        self._passes.invite(ask.token, opening, stream_token, opening.open_until, generation)
        return self._begin(ask, codec, opening, stream_token)

    def _begin(
        self, ask: PlaylistAsk, codec: Literal["aac", "opus"], opening: Opening, stream_token: str
    ) -> Reply:
        """A Multivariant Playlist; raises RenditionNotFoundError."""
        text = multivariant(opening, codec, stream_token)
        body = packed_text(text, packed=ask.ask.gzip)
        self._metrics.count(self._metrics.playlists, codec)
        self._metrics.count(self._metrics.joins, opening.place.phase)
        return _whole(self._multivariant[ask.ask.gzip], body, opening.ticket.correlation_id)

    def _go_on(self, ask: PlaylistAsk, opening: Opening) -> Reply:
        """A Media Playlist; raises RenditionNotFoundError."""
        rendition = opening.rendition(ask.name)
        body = self._playlists.body(opening, rendition, packed=ask.ask.gzip)
        self._metrics.count(self._metrics.playlists, "media")
        return _whole(self._media[ask.ask.gzip], body, opening.ticket.correlation_id)


def _whole(head: bytes, body: bytes, correlation_id: str) -> Reply:
    """A 200 with a body."""
    return Reply(200, head, (len(body),), body, correlation_id)


def _head(media_type: str, headers: dict[str, str]) -> bytes:
    every = headers | {"Content-Type": media_type} | _FILLED
    return answer_head("200 OK", every, tuple(_FILLED))
