"""The nouns of a cinema chain. All instants are aware and in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# How far a real movie_start may lie from the schedule when nobody has watched it begin.
SCHEDULE_BOUND_MS = 300_000
# The projection system stamps the press itself; the first frame follows within a quarter of one at
# 24 frames a second.
STARTED_BOUND_MS = 10


class ScreeningStatus(StrEnum):
    """What the chain says of a screening."""

    SCHEDULED = "scheduled"
    STARTED = "started"
    CANCELLED = "cancelled"


class DeliveryState(StrEnum):
    """How far a message in the outbox has come."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class MessageKind(StrEnum):
    """What a message tells."""

    PURCHASE = "purchase"
    SCREENING = "screening"
    CANCELLATION = "cancellation"


@dataclass(frozen=True, slots=True)
class Movie:
    """A film. `audio_description_path` is None for a film without audio description."""

    movie_id: str
    title: str
    year: int
    running_time_s: int
    poster_path: str
    audio_description_path: str | None


@dataclass(frozen=True, slots=True)
class Theater:
    """A cinema; `time_zone` is an IANA name."""

    place_id: str
    name: str
    city: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Screening:
    """One showing of a movie in one auditorium.

    `previews_start` is the time on the ticket. `movie_start` is true within
    `movie_start_bound_ms`. `revision` grows by one with each change.
    """

    id: int
    showtime_id: str
    movie: Movie
    theater: Theater
    auditorium_number: str
    previews_start: datetime
    movie_start: datetime
    credits_end: datetime
    status: ScreeningStatus
    revision: int
    movie_start_bound_ms: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the news of a purchase stands; `last_error` is what Tell said last."""

    state: DeliveryState
    attempts: int
    last_status: int | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Purchase:
    """A sold ticket. `correlation_id` and `listen_url` are None until Tell has answered.

    Who knows `purchase_id` sees the ticket and its secret `listen_url`.
    """

    purchase_id: str
    purchased_at: datetime
    screening: Screening
    delivery: Delivery
    correlation_id: str | None
    listen_url: str | None
    cancelled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A message that waits in the outbox. `attempts` counts the tries so far."""

    id: int
    webhook_id: str
    kind: MessageKind
    path: str
    body: bytes
    purchase_id: int | None
    attempts: int
