"""The films' posters."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from catalog.screenings.films import Films
from gateway.keys import CLOCK, DATABASE, POSTERS, SESSION, SETTINGS
from gateway.posters import Posters


async def posters(app: web.Application) -> AsyncIterator[None]:
    """Make what fetches them."""
    settings = app[SETTINGS]
    bases = {name: partner.posters for name, partner in settings.partners.items()}
    films = Films(app[DATABASE])
    app[POSTERS] = Posters(app[SESSION], films, bases, app[CLOCK], settings.posters)
    yield
    await app[POSTERS].close()
