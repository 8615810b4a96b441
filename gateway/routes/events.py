"""`GET /tell/events`: what happens to a listener's tickets, as it happens."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

from aiohttp import web

from catalog.errors import DatabaseError
from gateway import sse
from gateway.auth import listener_of
from gateway.errors import EventStreamsFullError, ListenerRefusedError
from gateway.event_feed import Subscription
from gateway.keys import EVENT_FEED, SETTINGS
from gateway.routing import Answer, Route

_RANDOM = random.Random()  # noqa: S311  (spreads reconnections, and guards nothing)
_RETRY_MS = 2_000
# Those whom this process lets go, since it ends, come back within this time, and not in one moment.
_SOON_MS = (250, 2_000)
# What may wait for the line in this process; the rest waits in the subscription, which is bounded.
_WRITE_BUFFER_BYTES = 16 * 1024
_HEADERS = {
    "Content-Type": sse.MEDIA_TYPE,
    "Cache-Control": "private, no-store",
    # nginx would gather what is to be sent at once (ngx_http_proxy_module, proxy_buffering).
    "X-Accel-Buffering": "no",
}


async def get_events(request: web.Request) -> web.StreamResponse:
    """Stream the listener's events until she goes, or is too slow, or the server stops.

    A bearer in the header alone: a token in a query would stand in logs and histories.
    """
    listener = listener_of(request)
    last_seen = sse.read_last_event_id(request.headers.get("Last-Event-ID"))
    async with request.app[EVENT_FEED].subscribe(listener, last_seen) as subscription:
        response = web.StreamResponse(headers=_HEADERS)
        # When it ends she comes back to whoever takes connections then: perhaps another process.
        response.force_close()
        with suppress(ConnectionError, TimeoutError):
            await _send(request, response, subscription)
        return response


async def _send(
    request: web.Request, response: web.StreamResponse, subscription: Subscription
) -> None:
    settings = request.app[SETTINGS].events
    await response.prepare(request)
    transport = request.transport
    if transport is None or request.method == "HEAD":
        return
    transport.set_write_buffer_limits(high=_WRITE_BUFFER_BYTES)
    # One whose line takes nothing waits in write(): only a cut wakes it.
    subscription.on_drop = transport.abort
    await response.write(sse.retry(_RETRY_MS))
    async for frame in subscription.frames(settings.heartbeat_s):
        try:
            async with asyncio.timeout(settings.send_timeout_s):
                await response.write(frame)
        except TimeoutError:
            transport.abort()
            raise
    async with asyncio.timeout(settings.send_timeout_s):
        await response.write(sse.retry(_RANDOM.randint(*_SOON_MS)))


ROUTES = (
    Route(
        method="GET",
        path="/tell/events",
        handler=get_events,
        tag="listener",
        summary="What happens to the listener's tickets, as it happens",
        security="listener",
        answers=(
            Answer(
                200,
                "Server-sent events; data is an EventView, but for `reset`",
                media_types=(sse.MEDIA_TYPE,),
            ),
        ),
        errors=(ListenerRefusedError, EventStreamsFullError, DatabaseError),
    ),
)
