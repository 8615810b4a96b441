"""The shelf of published tracks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from gateway.keys import METRICS, SETTINGS, STORAGE
from media.cache.storage import CachedStorage
from media.s3_address import is_s3
from media.settings import SettingsError


async def storage(app: web.Application) -> AsyncIterator[None]:
    """Make the folder of the tracks; raises SettingsError where it cannot be."""
    if is_s3(app[SETTINGS].media.root):
        # A bucket is its owner's to make; /readyz says where it does not answer.
        shelf = app[STORAGE]
        if not isinstance(shelf, CachedStorage):
            yield
            return
        await shelf.start()
        app[METRICS].watch(app[METRICS].media_cache_bytes, shelf.used_bytes)
        yield
        await shelf.stop()
        return
    # An empty shelf is no error: the first track may be published after the start.
    root = Path(app[SETTINGS].media.root)
    try:
        await asyncio.to_thread(root.mkdir, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"media.root: {root} cannot be made: {error.strerror}") from error
    yield
