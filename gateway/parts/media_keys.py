"""The keys that sign the addresses of sound: read on and on while they are rotated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from gateway.keys import BACKGROUND, PASSES, SECRETS, SETTINGS, TOKENS
from gateway.live_media_keys import LiveMediaKeys
from gateway.media_keys import media_path
from media.tokens import Keyring


async def media_keys(app: web.Application) -> AsyncIterator[None]:
    """Watch the file."""
    tokens, passes = app[TOKENS], app[PASSES]

    def use(ring: Keyring) -> None:
        tokens.use_media(ring)
        # Whose key was dropped is checked anew, and refused.
        passes.forget_all()

    path = media_path(Path(app[SETTINGS].secrets.dir))
    watched = LiveMediaKeys(path, app[SECRETS].keyring, use)
    await watched.start()
    app[BACKGROUND].watch("media keys", watched)
    yield
    await watched.stop()
