"""Every part of a running gateway, in the order in which they are started.

A part is a cleanup context of aiohttp: it puts its collaborators into the application, yields, and
takes them down. Parts are taken down in reverse: nothing loses what it stands on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from aiohttp import web

from gateway.parts.changes import changes
from gateway.parts.database import database
from gateway.parts.delivery import delivery
from gateway.parts.enrichment import enrichment
from gateway.parts.events import events
from gateway.parts.housekeeping import housekeeping
from gateway.parts.intake import intake
from gateway.parts.limits import limits
from gateway.parts.listening import listening
from gateway.parts.media_keys import media_keys
from gateway.parts.operations import operations
from gateway.parts.partners import partners
from gateway.parts.posters import posters
from gateway.parts.readiness import readiness
from gateway.parts.storage import storage
from gateway.parts.webhook_keys import webhook_keys

Part = Callable[[web.Application], AsyncIterator[None]]

PARTS: tuple[Part, ...] = (
    limits,
    storage,
    database,
    webhook_keys,
    partners,
    posters,
    readiness,
    delivery,
    media_keys,
    events,
    changes,
    enrichment,
    intake,
    listening,
    housekeeping,
    operations,
)
