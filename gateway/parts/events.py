"""What listeners are told while they are connected, and the log of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from catalog.listeners.events import EventLog
from catalog.listeners.privacy import told_number
from gateway.event_feed import EventFeed
from gateway.keys import (
    DATABASE,
    ENTITLEMENTS,
    EVENT_FEED,
    METRICS,
    PRESENTER,
    SETTINGS,
    TICKETS,
    VITAL,
)


async def events(app: web.Application) -> AsyncIterator[None]:
    """Run the feed; whoever writes an event kicks it."""
    settings, metrics = app[SETTINGS].events, app[METRICS]
    app[EVENT_FEED] = feed = EventFeed(
        EventLog(app[DATABASE]),
        app[TICKETS],
        app[PRESENTER],
        poll_s=settings.poll_s,
        queue_limit=settings.queue,
        max_connections=settings.max_connections,
        max_per_listener=settings.max_per_listener,
        on_sent=lambda kind, count: metrics.events_sent.labels(kind).inc(count),
        on_connections=lambda count: metrics.event_connections.set(told_number(count)),
        on_slow=metrics.slow_listeners.inc,
        on_kick=app[ENTITLEMENTS].kick,
    )
    await feed.start()
    app[VITAL].watch("event feed", feed)
    yield
    await feed.stop()


async def close_event_streams(app: web.Application) -> None:
    """Let listeners go before the server waits for the answers that are under way."""
    if EVENT_FEED in app:
        app[EVENT_FEED].close()
