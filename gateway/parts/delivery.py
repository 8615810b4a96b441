"""Who may listen, in memory, and the quick answers that stand on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

from aiohttp import web

from catalog.listeners.events import EventLog
from gateway.delivery.courier import Courier
from gateway.delivery.entitlements import Entitlements
from gateway.delivery.open_files import OpenFiles
from gateway.delivery.passes import Passes
from gateway.delivery.request_lines import RequestLines
from gateway.headers import edge_headers
from gateway.keys import (
    CLOCK,
    COURIER,
    DATABASE,
    ENTITLEMENTS,
    MEDIA_PLAYLISTS,
    METRICS,
    PASSES,
    PRESIGNER,
    REQUEST_LINES,
    SETTINGS,
    STORAGE,
    TICKETS,
    VITAL,
)
from gateway.playlists import MediaPlaylists
from gateway.presigning import Presigner
from media.cache.storage import CachedStorage
from media.storage import LocalStorage, Presigns, Storage


async def delivery(app: web.Application) -> AsyncIterator[None]:
    """Run the entitlements, and hold files open; raises DatabaseError, StorageError."""
    settings = app[SETTINGS]
    app[ENTITLEMENTS] = entitlements = Entitlements(
        app[TICKETS],
        EventLog(app[DATABASE]),
        poll_s=settings.events.poll_s,
        limit=settings.delivery.kept_tickets,
        clock=app[CLOCK],
        ahead=timedelta(hours=settings.delivery.read_ahead_h),
    )
    await entitlements.start()
    app[VITAL].watch("entitlements", entitlements)
    app[METRICS].watch(app[METRICS].event_log_age_seconds, lambda: entitlements.age_s)
    storage = app[STORAGE]
    if settings.delivery.presigned_s and isinstance(storage, Presigns):
        lasts = timedelta(seconds=settings.delivery.presigned_s)
        app[PRESIGNER] = await Presigner.open(storage, lasts)
    app[PASSES] = passes = Passes(
        _path_of(storage),
        limit=settings.delivery.kept_tickets,
        more=edge_headers(settings.delivery.mode)
        | ({"Vary": "Origin"} if settings.server.cors_origins else {}),
    )
    files = OpenFiles(
        settings.delivery.open_files,
        may_use=storage.may_use if isinstance(storage, CachedStorage) else lambda path: True,
    )
    app[REQUEST_LINES] = lines = RequestLines(app[CLOCK])
    app[COURIER] = Courier(passes, files, app[CLOCK], app[METRICS], lines)
    app[MEDIA_PLAYLISTS] = MediaPlaylists()
    yield
    lines.flush()
    files.close()
    await entitlements.stop()


def _path_of(storage: Storage) -> Callable[[str, str], Path] | None:
    """Where a file of a storage lies, by its key and digest: only this machine's are held open."""
    if isinstance(storage, LocalStorage):
        return lambda key, sha256: storage.path(key)
    if isinstance(storage, CachedStorage):
        return lambda key, sha256: storage.path(sha256)
    return None
