"""What Tell counts, for Prometheus. Labels are route patterns and codes, never ids or tokens."""

from __future__ import annotations

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

CONTENT_TYPE = CONTENT_TYPE_LATEST
# From a playlist in cache (under a millisecond) to a download over a slow line.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
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
        self.enriched = Counter(
            "tell_purchases_enriched",
            "Purchases that got their screening.",
            registry=self.registry,
        )
        self.claims = Counter(
            "tell_claims", "Tickets taken up by a device.", registry=self.registry
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

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request; a method that HTTP does not know is `other`."""
        known = method if method in _METHODS else "other"
        self.requests.labels(route, known, str(status)).inc()
        self.request_seconds.labels(route, known).observe(seconds)

    def render(self) -> bytes:
        """Prometheus text exposition of everything."""
        return generate_latest(self.registry)
