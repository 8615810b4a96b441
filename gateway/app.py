"""The composition root: every part is made here, once, and taken down in reverse order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import aiohttp
from aiohttp import web

from catalog.claims import Claims
from catalog.database import Database
from catalog.enrichment import Enrichment
from catalog.intake import Intake
from catalog.partner import PartnerClient
from catalog.tickets import Tickets
from gateway import keys
from gateway.grants import Grants
from gateway.health import Probe, Readiness, probe_folder, probe_partner
from gateway.metrics import Metrics
from gateway.middleware import MIDDLEWARES, set_headers
from gateway.openapi import document
from gateway.pages import WebApp
from gateway.present import TicketPresenter
from gateway.routes import ROUTES
from gateway.routing import add_routes
from gateway.secrets import Secrets
from gateway.settings import GatewaySettings
from media.library import Library
from media.settings import SettingsError
from media.storage import LocalStorage
from media.tokens import Tokens

_WEB_FOLDER = Path(__file__).parent / "web"
_DATABASE = web.AppKey("database", Database)
_SESSION = web.AppKey("session", aiohttp.ClientSession)
_ENRICHMENT = web.AppKey("enrichment", Enrichment)
_LIBRARY = web.AppKey("library", Library)
_ON_ENRICHED: web.AppKey[Callable[[str], None]] = web.AppKey("on_enriched")


def create_app(
    settings: GatewaySettings,
    *,
    clock: Callable[[], datetime],
    secrets: Secrets,
    web_folder: Path = _WEB_FOLDER,
    on_enriched: Callable[[str], None] = lambda correlation_id: None,
) -> web.Application:
    """Compose the gateway.

    *clock* is the one clock of everything that asks for the time. *on_enriched* is told each
    purchase that has got its screening.
    """
    app = web.Application(middlewares=MIDDLEWARES)
    app[_ON_ENRICHED] = on_enriched
    app[keys.SETTINGS] = settings
    app[keys.SECRETS] = secrets
    app[keys.CLOCK] = clock
    app[keys.PUBLIC_URL] = keys.PublicUrl(settings.server.public_url)
    app[keys.METRICS] = Metrics()
    app[keys.TOKENS] = Tokens(secrets.keyring)
    app[keys.STORAGE] = LocalStorage(Path(settings.media.root))
    app[_LIBRARY] = Library(app[keys.STORAGE])
    posters = {name: partner.posters for name, partner in settings.partners.items()}
    app[keys.PRESENTER] = TicketPresenter(app[_LIBRARY], clock, posters)
    app[keys.WEB_APP] = WebApp.load(web_folder, posters.values())
    app[keys.OPENAPI] = json.dumps(document(ROUTES, _version())).encode()
    app.on_response_prepare.append(set_headers)
    # Taken down in reverse: nothing loses what it stands on.
    app.cleanup_ctx.extend((_storage, _database, _session, _enrichment, _intake, _listening))
    add_routes(app, ROUTES)
    return app


async def _storage(app: web.Application) -> AsyncIterator[None]:
    # An empty shelf is no error: the first track may be published after the start.
    root = Path(app[keys.SETTINGS].media.root)
    try:
        await asyncio.to_thread(root.mkdir, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"media.root: {root} cannot be made: {error.strerror}") from error
    yield


async def _database(app: web.Application) -> AsyncIterator[None]:
    app[_DATABASE] = database = await Database.open(app[keys.SETTINGS].database.url)
    app[keys.TICKETS] = Tickets(database)
    app[keys.CLAIMS] = Claims(
        database,
        app[keys.CLOCK],
        devices_per_purchase=app[keys.SETTINGS].purchases.devices_per_purchase,
    )
    yield
    await database.close()


async def _session(app: web.Application) -> AsyncIterator[None]:
    async with aiohttp.ClientSession() as session:
        app[_SESSION] = session
        app[keys.READINESS] = Readiness(_probes(app, session))
        yield


def _probes(app: web.Application, session: aiohttp.ClientSession) -> dict[str, Probe]:
    settings = app[keys.SETTINGS]
    probes = {
        "database": Probe(app[_DATABASE].ping, needed=True),
        "storage": Probe(partial(probe_folder, Path(settings.media.root)), needed=True),
    }
    for name, partner in settings.partners.items():
        # Purchases are taken and tracks play while the partner is down.
        ask = partial(probe_partner, session, partner.base_url)
        probes[f"partner.{name}"] = Probe(ask, needed=False)
    return probes


async def _enrichment(app: web.Application) -> AsyncIterator[None]:
    settings = app[keys.SETTINGS].enrichment
    clients = {
        name: PartnerClient(app[_SESSION], partner.base_url, settings.timeout_s)
        for name, partner in app[keys.SETTINGS].partners.items()
    }

    def enriched(correlation_id: str) -> None:
        app[keys.METRICS].enriched.inc()
        app[_ON_ENRICHED](correlation_id)

    app[_ENRICHMENT] = enrichment = Enrichment(
        app[_DATABASE],
        clients,
        app[keys.CLOCK],
        retry_first_s=settings.retry_first_s,
        retry_max_s=settings.retry_max_s,
        concurrency=settings.concurrency,
        on_enriched=enriched,
    )
    await enrichment.start()
    yield
    await enrichment.stop()


async def _intake(app: web.Application) -> AsyncIterator[None]:
    settings = app[keys.SETTINGS].purchases
    app[keys.INTAKE] = intake = Intake(
        app[_DATABASE],
        app[keys.CLOCK],
        commit_rows=settings.commit_rows,
        queue_limit=settings.queue_limit,
        on_accepted=app[_ENRICHMENT].kick,
    )
    await intake.start()
    yield
    await intake.stop()


async def _listening(app: web.Application) -> AsyncIterator[None]:
    settings = app[keys.SETTINGS].tokens
    app[keys.GRANTS] = Grants(
        app[keys.TICKETS],
        app[_LIBRARY],
        app[keys.TOKENS],
        app[keys.CLOCK],
        access_ttl=settings.access_ttl,
        margin=settings.margin_after_credits,
    )
    yield


def _version() -> str:
    """Version of the installed package; a checkout that is not installed has none."""
    try:
        return version("tell-ad")
    except PackageNotFoundError:
        return "0"
