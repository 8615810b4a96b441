"""How the sound stands on a listener's device, as her app says."""

from __future__ import annotations

from aiohttp import web

from catalog.errors import DatabaseError, TicketNotFoundError
from catalog.listeners.playback import PlaybackState
from catalog.screenings.timeline import Phase
from gateway.auth import listener_of
from gateway.bodies import parse_object, read_json, validate
from gateway.errors import (
    BodyInvalidError,
    BodyLateError,
    BodySyntaxError,
    BodyTooLargeError,
    BodyTypeError,
    ListenerRefusedError,
    RateLimitedError,
)
from gateway.keys import METRICS, PLAYBACK, POLICIES, correlate
from gateway.routing import Answer, Route
from gateway.schemas import PlaybackReport
from gateway.throttling import throttle


async def post_playback(request: web.Request) -> web.Response:
    """Keep the last state of a ticket, and count how well it is synced."""
    app = request.app
    listener = listener_of(request)
    await throttle(request, app[POLICIES].playback_listener, listener)
    body = await read_json(request)
    report = validate(PlaybackReport, parse_object(body))
    state = PlaybackState(**report.model_dump(exclude={"correlation_id"}))
    rebuffers = await app[PLAYBACK].keep(listener, report.correlation_id, state)
    correlate(request, report.correlation_id)
    app[METRICS].rebuffers.labels(state.source.value).inc(rebuffers)
    if state.phase is Phase.FEATURE:
        app[METRICS].sync_error_seconds.labels(state.source.value).observe(state.sync_error_s)
    return web.Response(status=204, headers={"Cache-Control": "no-store"})


ROUTES = (
    Route(
        method="POST",
        path="/tell/playback",
        handler=post_playback,
        tag="listener",
        summary="Tell how the sound of a ticket stands",
        security="listener",
        body=PlaybackReport,
        answers=(Answer(204, "Kept as the ticket's last state"),),
        errors=(
            BodySyntaxError,
            BodyInvalidError,
            BodyTooLargeError,
            BodyLateError,
            BodyTypeError,
            ListenerRefusedError,
            TicketNotFoundError,
            RateLimitedError,
            DatabaseError,
        ),
    ),
)
