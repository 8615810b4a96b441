"""What the handlers find in the application: typed keys, used at this edge alone.

`gateway.app` puts each collaborator in its place; everything below the handlers gets what it needs
through its constructor.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from catalog.claims import Claims
from catalog.intake import Intake
from catalog.tickets import Tickets
from gateway.grants import Grants
from gateway.health import Readiness
from gateway.metrics import Metrics
from gateway.pages import WebApp
from gateway.present import TicketPresenter
from gateway.secrets import Secrets
from gateway.settings import GatewaySettings
from media.storage import Storage
from media.tokens import Tokens


class PublicUrl:
    """What the world calls this server; known only after the port is bound, hence not a string."""

    def __init__(self, value: str) -> None:
        self.value = value

    def listen_url(self, claim_code: str) -> str:
        """Link for the buyer. The code stands in the fragment, which no browser sends anywhere."""
        return f"{self.value}/listen#{claim_code}"


SETTINGS = web.AppKey("settings", GatewaySettings)
SECRETS = web.AppKey("secrets", Secrets)
CLOCK: web.AppKey[Callable[[], datetime]] = web.AppKey("clock")
PUBLIC_URL = web.AppKey("public_url", PublicUrl)
METRICS = web.AppKey("metrics", Metrics)
TOKENS = web.AppKey("tokens", Tokens)
STORAGE = web.AppKey("storage", Storage)
INTAKE = web.AppKey("intake", Intake)
CLAIMS = web.AppKey("claims", Claims)
TICKETS = web.AppKey("tickets", Tickets)
GRANTS = web.AppKey("grants", Grants)
PRESENTER = web.AppKey("presenter", TicketPresenter)
READINESS = web.AppKey("readiness", Readiness)
WEB_APP = web.AppKey("web_app", WebApp)
OPENAPI = web.AppKey("openapi", bytes)

REQUEST_ID = web.RequestKey("request_id", str)
CORRELATION_ID = web.RequestKey("correlation_id", str)
ANSWER_BEGUN = web.RequestKey("answer_begun", bool)


def correlate(request: web.Request, correlation_id: str) -> None:
    """Note which purchase the request is about, for its log line and its problem."""
    request[CORRELATION_ID] = correlation_id
