"""The gateway that bench/ingest.py measures: Tell as it is, but nobody looks purchases up.

Look-ups write too, and more often where commits are more: with them the peer would be slowed by
what is not measured.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from aiohttp import web

from bench.serving import serve
from catalog.purchases.intake import Intake
from gateway.app import create_app
from gateway.keys import CLOCK, DATABASE, INTAKE, SETTINGS
from gateway.logs import configure_logging
from gateway.parts.database import database
from gateway.parts.limits import limits
from gateway.parts.webhook_keys import webhook_keys
from gateway.secrets import load_secrets
from gateway.settings import read_settings


async def intake(app: web.Application) -> AsyncIterator[None]:
    """The intake of gateway/parts/intake.py, with nobody to wake."""
    settings = app[SETTINGS].purchases
    app[INTAKE] = running = Intake(
        app[DATABASE],
        app[CLOCK],
        commit_rows=settings.commit_rows,
        queue_limit=settings.queue_limit,
    )
    await running.start()
    yield
    await running.stop()


async def main() -> None:
    """Serve on a free port of loopback until SIGTERM, and say where."""
    settings = read_settings(None, os.environ)
    configure_logging(settings.logging)
    app = create_app(
        settings,
        clock=lambda: datetime.now(UTC),
        secrets=load_secrets(settings),
        parts=(limits, database, webhook_keys, intake),
    )
    await serve(app, "Tell")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
