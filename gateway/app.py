"""The composition root: every part is made here or in gateway/parts, once, and handed down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType

from aiohttp import web

from gateway import keys
from gateway.cors import answer_preflights, share
from gateway.metrics import Metrics
from gateway.middleware import MIDDLEWARES, set_headers
from gateway.openapi import document_json
from gateway.pages import WebApp
from gateway.parts import PARTS, Part
from gateway.parts.events import close_event_streams
from gateway.parts.operations import close_ops_streams
from gateway.present import TicketPresenter
from gateway.routes import ROUTES
from gateway.routing import add_routes
from gateway.secrets import Secrets
from gateway.settings import GatewaySettings
from media.library import Library
from media.storages import open_reader
from media.tokens import Tokens

_WEB_FOLDER = Path(__file__).parent / "web"


def create_app(
    settings: GatewaySettings,
    *,
    clock: Callable[[], datetime],
    secrets: Secrets,
    environ: Mapping[str, str] = MappingProxyType({}),
    web_folder: Path = _WEB_FOLDER,
    parts: Sequence[Part] = PARTS,
    metrics: Metrics | None = None,
    on_enriched: Callable[[str], None] = lambda correlation_id: None,
) -> web.Application:
    """Compose the gateway.

    *clock* is the one clock of everything that asks for the time; *environ* holds the credentials
    of an S3 storage. *on_enriched* is told each purchase that has got its screening. *parts* are
    started in their order. *metrics* are those of this process among several.
    """
    app = web.Application(middlewares=(*MIDDLEWARES, answer_preflights))
    app[keys.ON_ENRICHED] = on_enriched
    app[keys.SETTINGS] = settings
    app[keys.SECRETS] = secrets
    app[keys.CLOCK] = clock
    app[keys.PUBLIC_URL] = keys.PublicUrl(settings.server.public_url)
    app[keys.METRICS] = Metrics() if metrics is None else metrics
    app[keys.TOKENS] = Tokens(secrets.keyring, secrets.media)
    app[keys.STORAGE] = open_reader(
        settings.media,
        environ,
        clock,
        lambda outcome: app[keys.METRICS].media_cache.labels(outcome).inc(),
    )
    app[keys.LIBRARY] = Library(app[keys.STORAGE], fresh_s=settings.media.pointers_fresh_s)
    app[keys.PRESENTER] = TicketPresenter(app[keys.LIBRARY], clock)
    app[keys.WEB_APP] = WebApp.load(web_folder, settings.app.downloads_mb)
    app[keys.OPENAPI] = document_json(ROUTES, _version())
    app.on_response_prepare.append(set_headers)
    app.on_response_prepare.append(share)
    app.on_shutdown.append(close_event_streams)
    app.on_shutdown.append(close_ops_streams)
    app.cleanup_ctx.extend(parts)
    add_routes(app, ROUTES)
    return app


def _version() -> str:
    """Version of the installed package; a checkout that is not installed has none."""
    try:
        return version("tell-ad")
    except PackageNotFoundError:
        return "0"
