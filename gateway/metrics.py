"""What Tell counts, for Prometheus. Labels are route patterns and codes, never ids or tokens."""

from __future__ import annotations

from functools import partial

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from catalog.partner.answers import Answers
from catalog.partner.breaker import BreakerState

CONTENT_TYPE = CONTENT_TYPE_LATEST
# From a playlist in cache (under a millisecond) to a download over a slow line.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
# What is not noticed (20 ms), what must not be passed (40 ms), what anybody hears.
_SYNC_SECONDS = (0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.1, 0.16, 0.3, 1.0, 5.0, 60.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"})


class Metrics:
    """All metrics of one gateway, in a registry of its own so that two in a process can live."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = Counter(
            "tell_http_requests",
            "Answered requests.",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "tell_http_request_seconds",
            "Time from a request's head to its answer's end.",
            ["route", "method"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.requests_running = Gauge(
            "tell_http_requests_running", "Requests being answered now.", registry=self.registry
        )
        self.problems = Counter(
            "tell_problems",
            "Requests answered with a problem, by the error's own code.",
            ["route", "code"],
            registry=self.registry,
        )
        self.purchases = Counter(
            "tell_purchases_accepted",
            "Purchases answered with 202, repeated ones too.",
            ["environment"],
            registry=self.registry,
        )
        self.unknown_fields = Counter(
            "tell_purchase_unknown_fields",
            "Fields of purchases that Tell does not know and ignored.",
            ["environment"],
            registry=self.registry,
        )
        self.signed = Counter(
            "tell_webhooks_verified",
            "Messages of AMC-clone that were rightly signed, by the key that fitted.",
            ["environment", "key"],
            registry=self.registry,
        )
        self.limited = Counter(
            "tell_rate_limited",
            "Requests refused with 429, by the policy.",
            ["policy"],
            registry=self.registry,
        )
        self.limits_shared = Gauge(
            "tell_limits_shared",
            "1 while limits are counted together with other replicas, in Redis.",
            registry=self.registry,
        )
        self.enriched = Counter(
            "tell_purchases_enriched",
            "Purchases that got their screening.",
            registry=self.registry,
        )
        self.parked = Counter(
            "tell_purchases_parked",
            "Purchases that were left to a person, by what is wrong (tell purchases list).",
            ["code"],
            registry=self.registry,
        )
        self.answers = Counter(
            "tell_partner_answers",
            "Look-ups at a partner: where the answer came from, or why there was none.",
            ["environment", "outcome"],
            registry=self.registry,
        )
        self.breaker = Gauge(
            "tell_partner_breaker",
            "1 for what a partner's circuit breaker is in: closed, open or half_open.",
            ["environment", "state"],
            registry=self.registry,
        )
        self.claims = Counter(
            "tell_claims", "Tickets taken up by a device.", registry=self.registry
        )
        self.sync_error_seconds = Histogram(
            "tell_playback_sync_error_seconds",
            "How far off the film the sound is at worst, while the feature runs, as apps report: "
            "the size of the error and the bound of its measurement.",
            ["source"],
            buckets=_SYNC_SECONDS,
            registry=self.registry,
        )
        self.rebuffers = Counter(
            "tell_playback_rebuffers",
            "Holes in the sound while data were waited for.",
            ["source"],
            registry=self.registry,
        )
        self.listeners = Gauge(
            "tell_listeners_now",
            "Listeners whose app reported lately, on all replicas; 0 reads <3: fewer are told to "
            "nobody.",
            registry=self.registry,
        )
        self.grants = Counter(
            "tell_grants",
            "Answers of /media/audio, by the phase of the screening.",
            ["phase"],
            registry=self.registry,
        )
        self.playlists = Counter(
            "tell_playlists", "Playlists and MPDs sent.", ["kind"], registry=self.registry
        )
        self.media_bytes = Counter(
            "tell_media_bytes", "Bytes of renditions sent.", ["rendition"], registry=self.registry
        )

    def watch_breaker(self, environment: str, answers: Answers) -> None:
        """Show the breaker as it stands at each scrape: it opens and half-opens by time alone."""
        for state in BreakerState:
            self.breaker.labels(environment, state.value).set_function(
                partial(_is_in, answers, state)
            )

        self.screening_events = Counter(
            "tell_screening_events",
            "Messages of /tell/screening-events, by what came of them; conflict is an alarm.",
            ["environment", "kind", "outcome"],
            registry=self.registry,
        )
        self.polls = Counter(
            "tell_partner_polls",
            "Looks at a screening, by what came of them; applied means that an event was lost.",
            ["environment", "outcome"],
            registry=self.registry,
        )
        self.partner_clock_offset = Gauge(
            "tell_partner_clock_offset_seconds",
            "The partner's clock minus Tell's, as last measured here.",
            ["environment"],
            registry=self.registry,
        )
        self.partner_clock_bound = Gauge(
            "tell_partner_clock_bound_seconds",
            "How far off that may be.",
            ["environment"],
            registry=self.registry,
        )
        self.event_connections = Gauge(
            "tell_event_connections", "Listeners' open event streams.", registry=self.registry
        )
        self.events_sent = Counter(
            "tell_events_sent",
            "Events handed to listeners' connections.",
            ["kind"],
            registry=self.registry,
        )
        self.slow_listeners = Counter(
            "tell_event_connections_dropped",
            "Event streams let go because their line was too slow.",
            registry=self.registry,
        )

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request; a method that HTTP does not know is `other`."""
        known = method if method in _METHODS else "other"
        self.requests.labels(route, known, str(status)).inc()
        self.request_seconds.labels(route, known).observe(seconds)

    def render(self) -> bytes:
        """Prometheus text exposition of everything."""
        return generate_latest(self.registry)


def _is_in(answers: Answers, state: BreakerState) -> float:
    return float(answers.state is state)
