"""The composition root: builds AMC-clone's web application from its parts."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web

from amc_clone.announcer import Announcer
from amc_clone.backoff import Backoff
from amc_clone.box_office import BoxOffice
from amc_clone.database import Database
from amc_clone.details import Details
from amc_clone.operator_desk import OperatorDesk
from amc_clone.outbox import Outbox
from amc_clone.programming import Programming
from amc_clone.routes.changes import ChangeRoutes
from amc_clone.routes.details import DetailsRoutes
from amc_clone.routes.documents import DocumentRoutes
from amc_clone.routes.middleware import (
    answer_errors,
    finish_response,
    log_requests,
    require_same_origin,
)
from amc_clone.routes.operations import OperationsRoutes
from amc_clone.routes.operator import OperatorRoutes
from amc_clone.routes.purchases import PurchaseRoutes
from amc_clone.routes.screenings import ScreeningRoutes
from amc_clone.routes.showings import ShowingsRoutes
from amc_clone.screenings import Screenings
from amc_clone.seeding import DEFAULT_SEED, seed
from amc_clone.tell_client import TellClient

_BODY_LIMIT_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of a running AMC-clone, for the programs and tests that start it."""

    database: Database
    screenings: Screenings
    programming: Programming
    box_office: BoxOffice
    desk: OperatorDesk
    outbox: Outbox
    changes: Announcer
    tell: TellClient


SERVICES: Final = web.AppKey("services", Services)


def create_app(
    *,
    database_url: str | Path,
    tell_url: str,
    key_id: str,
    secret: bytes,
    clock: Callable[[], datetime],
    seed_data: bool = False,
    seed_number: int = DEFAULT_SEED,
    backoff: Backoff | None = None,
    tell_timeout_s: float = 10.0,
) -> web.Application:
    """AMC-clone as an aiohttp application; `app[SERVICES]` has its parts once it has started.

    *database_url* may be the path of an SQLite file. *secret* (24 to 64 bytes) signs what is told
    to Tell at *tell_url* under *key_id*. With *seed_data* the chain and two weeks of screenings are
    added at the start. *clock* gives aware
    datetimes; with one that tests move by hand, call `app[SERVICES].outbox.wake()` after a move.
    Where Tell's address is known only later, give it by `app[SERVICES].tell.point_at(url)`.
    """

    async def services(app: web.Application) -> AsyncIterator[None]:
        database = await Database.open(database_url)
        try:
            if seed_data:
                await seed(database, clock(), seed_number)
            async with aiohttp.ClientSession() as session:
                tell = TellClient(session, tell_url, key_id, secret, tell_timeout_s)
                dice = random.Random()  # noqa: S311  (spreads retries, guards nothing)
                outbox = Outbox(database, tell, clock, changes, backoff or Backoff(), dice)
                screenings = Screenings(database, clock)
                programming = Programming(database)
                box_office = BoxOffice(database, clock, changes, on_sale=outbox.wake)
                desk = OperatorDesk(database, clock, on_message=outbox.wake)
                app[SERVICES] = Services(
                    database, screenings, programming, box_office, desk, outbox, changes, tell
                )
                OperationsRoutes(database, clock).add_to(app.router)
                DocumentRoutes().add_to(app.router)
                DetailsRoutes(Details(database, screenings, clock)).add_to(app.router)
                ScreeningRoutes(screenings, programming, clock).add_to(app.router)
                PurchaseRoutes(box_office, clock).add_to(app.router)
                ChangeRoutes(desk, box_office, clock).add_to(app.router)
                OperatorRoutes(screenings, desk, clock).add_to(app.router)
                ShowingsRoutes(screenings, clock).add_to(app.router)
                await outbox.start()
                yield
                await outbox.stop()
        finally:
            await database.close()

    async def stop_waiting(_app: web.Application) -> None:
        # Before aiohttp waits for the last requests to end: some wait for an answer of Tell.
        changes.close()

    changes = Announcer()
    app = web.Application(
        middlewares=[log_requests, answer_errors, require_same_origin],
        client_max_size=_BODY_LIMIT_BYTES,
    )
    app.cleanup_ctx.append(services)
    app.on_shutdown.append(stop_waiting)
    app.on_response_prepare.append(finish_response)
    return app
