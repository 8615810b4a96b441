"""Who may listen, in memory, and the quick answers that stand on it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from catalog.listeners.events import EventLog
from gateway.delivery.courier import Courier
from gateway.delivery.entitlements import Entitlements
from gateway.delivery.open_files import OpenFiles
from gateway.delivery.passes import Passes
from gateway.delivery.request_lines import RequestLines
from gateway.keys import (
    CLOCK,
    COURIER,
    DATABASE,
    ENTITLEMENTS,
    MEDIA_PLAYLISTS,
    METRICS,
    PASSES,
    SETTINGS,
    STORAGE,
    TICKETS,
)
from gateway.playlists import MediaPlaylists
from media.storage import LocalStorage


async def delivery(app: web.Application) -> AsyncIterator[None]:
    """Run the entitlements, and hold files open; raises DatabaseError."""
    settings = app[SETTINGS]
    app[ENTITLEMENTS] = entitlements = Entitlements(
        app[TICKETS],
        EventLog(app[DATABASE]),
        poll_s=settings.events.poll_s,
        limit=settings.delivery.kept_tickets,
    )
    await entitlements.start()
    storage = app[STORAGE]
    app[PASSES] = passes = Passes(
        # Only files of this machine are held open.
        storage.path if isinstance(storage, LocalStorage) else None,
        limit=settings.delivery.kept_tickets,
    )
    files = OpenFiles(settings.delivery.open_files)
    lines = RequestLines(app[CLOCK])
    app[COURIER] = Courier(passes, files, app[CLOCK], app[METRICS], lines)
    app[MEDIA_PLAYLISTS] = MediaPlaylists()
    yield
    lines.flush()
    files.close()
    await entitlements.stop()
