"""The domain's nouns: what the rest of Tell knows of a movie, a screening and a ticket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PurchaseState(StrEnum):
    """How far a purchase has come: accepted (202), then enriched, or parked for a person."""

    ACCEPTED = "accepted"
    ENRICHED = "enriched"
    PARKED = "parked"
    CANCELLED = "cancelled"


class ScreeningStatus(StrEnum):
    """What the partner says of a screening."""

    SCHEDULED = "scheduled"
    STARTED = "started"
    CANCELLED = "cancelled"


class StartSource(StrEnum):
    """Who said when the movie starts; a later one in this list stands above an earlier one."""

    SCHEDULE = "schedule"
    PARTNER_EVENT = "partner_event"
    OPERATOR = "operator"


class EventKind(StrEnum):
    """What listeners are told of (docs/changes.md); `ticket.released` is for replicas alone."""

    TICKET_ENRICHED = "ticket.enriched"
    TICKET_CANCELLED = "ticket.cancelled"
    SCREENING_CHANGED = "screening.changed"
    SCREENING_STARTED = "screening.started"
    SCREENING_MOVED = "screening.moved"
    SCREENING_CANCELLED = "screening.cancelled"
    TICKET_RELEASED = "ticket.released"


@dataclass(frozen=True, slots=True)
class Movie:
    """A movie as the partner names it; `movie_id` is unique within one environment."""

    movie_id: str
    title: str
    poster_path: str | None
    audio_description_path: str | None


@dataclass(frozen=True, slots=True)
class Theater:
    """A cinema; `time_zone` is an IANA name, for showing local time only."""

    place_id: str
    name: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Screening:
    """One showing of a movie in one auditorium. All instants are aware and in UTC.

    `movie_start` is an estimate: true within `movie_start_bound_ms`, by `movie_start_source`.
    `revision` grows with each change at the partner.
    """

    id: int
    environment: str
    showtime_id: str
    previews_start: datetime
    movie_start: datetime
    credits_end: datetime
    status: ScreeningStatus
    revision: int
    movie_start_bound_ms: int
    movie_start_source: StartSource


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the listener sees of a purchase. `movie`, `theater` and `screening` come by enrichment.

    Until then they are None, and the ids are those that the partner sent.
    """

    correlation_id: str
    environment: str
    purchase_id: str
    state: PurchaseState
    movie_id: str
    place_id: str
    auditorium_number: str
    showtime_id: str
    purchased_at: datetime
    movie: Movie | None = None
    theater: Theater | None = None
    screening: Screening | None = None
