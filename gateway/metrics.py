"""What Tell counts, for Prometheus. Labels are route patterns and codes, never ids or tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol

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
from prometheus_client.registry import Collector

from catalog.partner.answers import Answers
from catalog.partner.breaker import BreakerState
from gateway.evening_metrics import EveningMetrics

CONTENT_TYPE = CONTENT_TYPE_LATEST
# From a playlist in cache (under a millisecond) to a download over a slow line.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
# What is not noticed (20 ms), what must not be passed (40 ms), what anybody hears.
_SYNC_SECONDS = (0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.1, 0.16, 0.3, 1.0, 5.0, 60.0)
# From the partner's next answer to an evening without one.
_ENRICHMENT_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 43200.0)
# What a player waits for before it sounds.
_PLAYED = ("/media/", "/stream/")
_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"})


class Shared(Protocol):
    """Shows the metrics of several processes as one."""

    def render(self, more: Iterable[Collector]) -> bytes:
        """Prometheus text of what all counted, and of *more*."""
        ...


class Metrics:
    """All metrics of one gateway, in a registry of its own so that two in a process can live.

    Where several processes are one gateway, *shared* shows what all of them counted.
    """

    def __init__(self, shared: Shared | None = None) -> None:
        self._shared = shared
        self._watched: list[tuple[Gauge, Callable[[], float]]] = []
        # To look labels up takes longer than to count. There are as many as routes and codes.
        self._counted: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._heads: dict[str, Histogram | None] = {}
        self._children: dict[tuple[Counter, str], Counter] = {}
        self.registry = CollectorRegistry()
        self.evening = EveningMetrics()
        self.registry.register(self.evening)
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
        self.first_byte_seconds = Histogram(
            "tell_first_byte_seconds",
            "Time from a request's head to its answer's, of what a player waits for. A segment's "
            "short way is one write, and counts in tell_http_request_seconds alone.",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.requests_running = Gauge(
            "tell_http_requests_running",
            "Requests being answered now.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self.connections_closed = Counter(
            "tell_idle_connections_closed",
            "Idle connections that were closed since there was no room for those that came.",
            registry=self.registry,
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
        self.refused = Counter(
            "tell_tokens_refused",
            "Credentials that opened nothing: what they were for, and why.",
            ["purpose", "reason"],
            registry=self.registry,
        )
        self.storage_errors = Counter(
            "tell_storage_errors",
            "Requests that failed since the storage of the tracks did.",
            ["code"],
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
            multiprocess_mode="livemin",
        )
        self.answers_shared = Gauge(
            "tell_partner_answers_shared",
            "1 while the partners' answers are kept together with other replicas, in Redis.",
            registry=self.registry,
            multiprocess_mode="livemin",
        )
        self.enriched = Counter(
            "tell_purchases_enriched",
            "Purchases that got their screening.",
            registry=self.registry,
        )
        self.enrichment_seconds = Histogram(
            "tell_enrichment_seconds",
            "Time from a purchase's 202 until it was a ticket.",
            buckets=_ENRICHMENT_SECONDS,
            registry=self.registry,
        )
        self.intake_waiting = Gauge(
            "tell_intake_waiting",
            "Purchases that wait for the disk, before their 202.",
            registry=self.registry,
            multiprocess_mode="livesum",
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
            multiprocess_mode="livemax",
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
        self.grants = Counter(
            "tell_grants",
            "Answers of /media/audio, by the phase of the screening.",
            ["phase"],
            registry=self.registry,
        )
        self.playlists = Counter(
            "tell_playlists", "Playlists and MPDs sent.", ["kind"], registry=self.registry
        )
        self.joins = Counter(
            "tell_joins",
            "Playlists sent that a player begins with (Multivariant, now.m3u8, MPD), by the phase"
            " of the film.",
            ["phase"],
            registry=self.registry,
        )
        self.media_bytes = Counter(
            "tell_media_bytes", "Bytes of renditions sent.", ["rendition"], registry=self.registry
        )
        self.media_cache = Counter(
            "tell_media_cache",
            "What happened in this machine's cache of the bucket (docs/delivery.md).",
            ["outcome"],
            registry=self.registry,
        )
        self.media_cache_bytes = Gauge(
            "tell_media_cache_bytes",
            "Bytes on this machine's disk that the cache of the bucket takes.",
            registry=self.registry,
            multiprocess_mode="livemax",
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
            multiprocess_mode="livemostrecent",
        )
        self.partner_clock_bound = Gauge(
            "tell_partner_clock_bound_seconds",
            "How far off that may be.",
            ["environment"],
            registry=self.registry,
            multiprocess_mode="livemostrecent",
        )
        self.event_connections = Gauge(
            "tell_event_connections",
            "Listeners' open event streams; 0 reads <3.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self.event_log_age_seconds = Gauge(
            "tell_event_log_age_seconds",
            "How long ago this process last read the events' log to its end: what was corrected or "
            "cancelled since then shows in no segment yet.",
            registry=self.registry,
            multiprocess_mode="livemax",
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

    def watch_breaker(self, environment: str, answers: Answers) -> None:
        """Show the breaker as it stands at each scrape: it opens and half-opens by time alone."""
        for state in BreakerState:
            gauge = self.breaker.labels(environment, state.value)
            self.watch(gauge, partial(_is_in, answers, state))

    def watch(self, gauge: Gauge, look: Callable[[], float]) -> None:
        """Have *gauge* show what *look* says: at each scrape.

        Where several processes are one gateway, what it said at the last `refresh`.
        """
        if self._shared is None:
            gauge.set_function(look)
        else:
            self._watched.append((gauge, look))

    def refresh(self) -> None:
        """Look at what is watched; needed again and again where several are one gateway."""
        for gauge, look in self._watched:
            gauge.set(look())

    def count(self, counter: Counter, label: str, amount: float = 1) -> None:
        """Add to *counter*, which has one label, under one of few *label*s."""
        child = self._children.get((counter, label))
        if child is None:
            child = self._children[counter, label] = counter.labels(label)
        child.inc(amount)

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request; a method that HTTP does not know is `other`."""
        known = method if method in _METHODS else "other"
        counted = self._counted.get((route, known, status))
        if counted is None:
            counted = self._counted[route, known, status] = (
                self.requests.labels(route, known, str(status)),
                self.request_seconds.labels(route, known),
            )
        counted[0].inc()
        counted[1].observe(seconds)

    def observe_head(self, route: str, seconds: float) -> None:
        """Count the head of an answer, where a player waits for it."""
        if route not in self._heads:
            self._heads[route] = (
                self.first_byte_seconds.labels(route) if route.startswith(_PLAYED) else None
            )
        head = self._heads[route]
        if head is not None:
            head.observe(seconds)

    def render(self) -> bytes:
        """Prometheus text exposition of everything."""
        if self._shared is None:
            return generate_latest(self.registry)
        self.refresh()
        return self._shared.render((self.evening,))


def _is_in(answers: Answers, state: BreakerState) -> float:
    return float(answers.state is state)
