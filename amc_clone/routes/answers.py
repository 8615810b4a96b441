"""The JSON answers as models: the OpenAPI document is made from them, and tests hold answers to it.

Additions are allowed, here as everywhere on the wire: who reads passes over what it does not know.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from amc_clone.models import ScreeningStatus
from amc_clone.timeline import Phase

Milliseconds = Annotated[int, Field(ge=0, description="milliseconds")]
Microseconds = Annotated[int, Field(description="microseconds since 1970 in UTC")]


class ScreeningFacts(BaseModel):
    """A screening: what does not move with the clock. All instants are RFC 3339 in UTC."""

    movie_id: str
    title: str
    poster_path: str
    audio_description_path: str | None
    place_id: str
    theater_name: str
    time_zone: Annotated[str, Field(description="IANA name, for showing local time only.")]
    auditorium_number: str
    showtime_id: str
    previews_start: datetime
    movie_start: datetime
    credits_end: datetime
    movie_start_bound_ms: Milliseconds
    status: ScreeningStatus
    revision: Annotated[int, Field(ge=1, description="Grows with each change.")]


class ScreeningDetails(ScreeningFacts):
    """What a sold ticket is for; without showtimeId in the question, all that it may be for."""

    showings: list[ScreeningFacts] | None = None


class ListedScreening(ScreeningFacts):
    """A screening of a listing, and where it stands."""

    running_time_s: int
    day: Annotated[str, Field(description="The cinema's day, which ends at 04:00 local time.")]
    phase: Phase
    offset_s: Annotated[float, Field(description="now - movie_start in seconds")]
    on_sale: bool


class Listing(BaseModel):
    """Screenings by previews_start; `next` is the `cursor` of the following ones."""

    server_time: datetime
    screenings: list[ListedScreening]
    next: str | None


class TheaterFacts(BaseModel):
    """A cinema."""

    place_id: str
    name: str
    city: str
    time_zone: str


class Theaters(BaseModel):
    """All cinemas of the chain."""

    theaters: list[TheaterFacts]


class Failure(BaseModel):
    """Why Tell will not take the purchase."""

    status: int | None
    said: str | None


class PurchaseFacts(BaseModel):
    """A sold ticket. `listen_url` is the buyer's secret, there once Tell has answered."""

    purchase_id: str
    status: Literal["pending", "ready", "refused"]
    purchased_at: datetime
    correlation_id: str | None
    listen_url: str | None
    cancelled_at: datetime | None
    attempts: int
    failure: Failure | None
    page: str
    screening: ScreeningFacts


class ClockAnswer(BaseModel):
    """The middle two of the four timestamps (RFC 5905 8)."""

    nonce: str
    received_us: Microseconds
    sent_us: Annotated[Microseconds, Field(description="Taken last.")]
    bound_us: int
    bound_source: str


class Health(BaseModel):
    """The service and its database answer."""

    status: Literal["ok"]


class WrongField(BaseModel):
    """What is wrong with one field."""

    name: str
    detail: str


class Problem(BaseModel):
    """RFC 9457 problem details; `code` is what a program should look at."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[WrongField] | None = None
