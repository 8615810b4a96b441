"""What the handlers find in the application: typed keys, used at this edge alone.

`gateway.app` and `gateway.parts` put each collaborator in its place; everything below the handlers
gets what it needs through its constructor.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import aiohttp
from aiohttp import web
from structlog.contextvars import bind_contextvars

from catalog.enrichment.enricher import Enrichment
from catalog.keys.live_keys import LiveKeys
from catalog.listeners.claims import Claims
from catalog.listeners.playback import Playback
from catalog.listeners.privacy import Privacy
from catalog.partner.answer_cache import AnswerCache
from catalog.partner.answers import Answers
from catalog.partner.clock_watch import ClockWatch
from catalog.purchases.intake import Intake
from catalog.purchases.tickets import Tickets
from catalog.screenings.polling import Polling
from catalog.screenings.screening_events import ScreeningEvents
from catalog.store.database import Database
from gateway.addresses import Proxies
from gateway.census import Census
from gateway.delivery.courier import Courier
from gateway.delivery.entitlements import Entitlements
from gateway.delivery.passes import Passes
from gateway.delivery.request_lines import RequestLines
from gateway.delivery.usher import Usher
from gateway.event_feed import EventFeed
from gateway.grants import Grants
from gateway.health import Background, Readiness
from gateway.limits import Limits, Policies, Standing
from gateway.metrics import Metrics
from gateway.ops.desk import Desk
from gateway.ops.tonight import Evening
from gateway.pages import WebApp
from gateway.playlists import MediaPlaylists
from gateway.posters import Posters
from gateway.present import TicketPresenter
from gateway.presigning import Presigner
from gateway.secrets import Secrets
from gateway.settings import GatewaySettings
from gateway.workers.team import Team
from media.library import Library
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
DATABASE = web.AppKey("database", Database)
SESSION = web.AppKey("session", aiohttp.ClientSession)
ANSWER_CACHE = web.AppKey("answer_cache", AnswerCache)
ANSWERS: web.AppKey[dict[str, Answers]] = web.AppKey("answers", dict)
ENRICHMENT = web.AppKey("enrichment", Enrichment)
ON_ENRICHED: web.AppKey[Callable[[str], None]] = web.AppKey("on_enriched")
LIBRARY = web.AppKey("library", Library)
LIMITS = web.AppKey("limits", Limits)
POLICIES = web.AppKey("policies", Policies)
WEBHOOK_KEYS = web.AppKey("webhook_keys", LiveKeys)
PROXIES = web.AppKey("proxies", Proxies)
INTAKE = web.AppKey("intake", Intake)
EVENT_FEED = web.AppKey("event_feed", EventFeed)
SCREENING_EVENTS = web.AppKey("screening_events", ScreeningEvents)
POLLING = web.AppKey("polling", Polling)
CLOCK_WATCH = web.AppKey("clock_watch", ClockWatch)
CLAIMS = web.AppKey("claims", Claims)
PLAYBACK = web.AppKey("playback", Playback)
PRIVACY = web.AppKey("privacy", Privacy)
CENSUS = web.AppKey("census", Census)
EVENING = web.AppKey("evening", Evening)
OPERATOR = web.AppKey("operator", Desk)
TICKETS = web.AppKey("tickets", Tickets)
GRANTS = web.AppKey("grants", Grants)
ENTITLEMENTS = web.AppKey("entitlements", Entitlements)
PASSES = web.AppKey("passes", Passes)
# There where downloads come from the bucket itself.
PRESIGNER = web.AppKey("presigner", Presigner)
MEDIA_PLAYLISTS = web.AppKey("media_playlists", MediaPlaylists)
COURIER = web.AppKey("courier", Courier)
REQUEST_LINES = web.AppKey("request_lines", RequestLines)
USHER = web.AppKey("usher", Usher)
PRESENTER = web.AppKey("presenter", TicketPresenter)
POSTERS = web.AppKey("posters", Posters)
READINESS = web.AppKey("readiness", Readiness)
# Workers without whom the requests themselves go wrong, and the others.
VITAL = web.AppKey("vital", Background)
BACKGROUND = web.AppKey("background", Background)
TEAM = web.AppKey("team", Team)
WEB_APP = web.AppKey("web_app", WebApp)
OPENAPI = web.AppKey("openapi", bytes)

REQUEST_ID = web.RequestKey("request_id", str)
BEGAN_AT = web.RequestKey("began_at", float)
# Why a credential was refused, for the request's line in the log.
REFUSED: web.RequestKey[dict[str, str]] = web.RequestKey("refused", dict)
CORRELATION_ID = web.RequestKey("correlation_id", str)
STANDINGS: web.RequestKey[list[Standing]] = web.RequestKey("standings", list)
ANSWER_BEGUN = web.RequestKey("answer_begun", bool)


def correlate(request: web.Request, correlation_id: str) -> None:
    """Note which purchase the request is about, for its log lines and its problem."""
    request[CORRELATION_ID] = correlation_id
    # Until the request ends (gateway/middleware.py).
    bind_contextvars(correlation_id=correlation_id)
