"""What is kept of listeners, and for how long: playback states, forgetting, and daily pruning."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from datetime import timedelta

from aiohttp import web

from catalog.listeners.playback import Playback
from catalog.listeners.privacy import Privacy
from gateway.housekeeping import Housekeeping
from gateway.keys import BACKGROUND, CLOCK, DATABASE, PLAYBACK, PRIVACY, SETTINGS


async def housekeeping(app: web.Application) -> AsyncIterator[None]:
    """Make them, and prune in the background."""
    database, clock, settings = app[DATABASE], app[CLOCK], app[SETTINGS]
    app[PLAYBACK] = Playback(database, clock)
    app[PRIVACY] = Privacy(database, clock)
    running = Housekeeping(
        database,
        clock,
        secrets.token_hex(8),
        settings.privacy.rules,
        timedelta(seconds=settings.events.keep_s),
    )
    await running.start()
    app[BACKGROUND].watch("housekeeping", running)
    yield
    await running.stop()
