"""What requests may say: the models that check it, and reading them with clear refusals."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, TypeVar

from aiohttp import web
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from amc_clone.errors import InvalidBodyError, InvalidField, InvalidInputError
from amc_clone.models import SCHEDULE_BOUND_MS, STARTED_BOUND_MS

# RFC 3339 5.6; an offset is required, as a time without one names no instant.
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _rfc3339_text(value: object) -> object:
    if not isinstance(value, str) or _RFC3339.fullmatch(value) is None:
        raise ValueError("must be an instant of RFC 3339 with an offset: 2026-03-01T19:30:00Z")
    return value


def _date_text(value: object) -> object:
    if not isinstance(value, str) or _DATE.fullmatch(value) is None:
        raise ValueError("must be a date such as 2026-03-01")
    return value


Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
AuditoriumNumber = Annotated[str, Field(min_length=1, max_length=16, pattern=r"^[A-Za-z0-9 ._-]+$")]
# Field stands before BeforeValidator, or its bounds are lost.
InstantText = Annotated[
    AwareDatetime,
    # Beyond these an instant cannot be shown in every time zone.
    Field(ge=datetime(1900, 1, 1, tzinfo=UTC), le=datetime(2999, 12, 31, tzinfo=UTC)),
    BeforeValidator(_rfc3339_text),
]
# A day beyond these has no bounds in UTC.
DayText = Annotated[
    date, Field(ge=date(1900, 1, 1), le=date(2999, 12, 31)), BeforeValidator(_date_text)
]


class _Input(BaseModel):
    model_config = ConfigDict(frozen=True)


class DetailsQuery(_Input):
    """Query of GET /screening/details, in the names that the partners agreed on."""

    movie_id: Id = Field(alias="movieId")
    place_id: Id = Field(alias="placeId")
    auditorium_number: AuditoriumNumber = Field(alias="auditoriumNumber")
    showtime_id: Id | None = Field(None, alias="showtimeId")
    sold_at: InstantText | None = Field(None, alias="soldAt")


class TimeQuery(_Input):
    """Query of GET /time."""

    nonce: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")


class ListingParameters(_Input):
    """Query of GET /api/screenings. A `day` is a cinema's, so it needs the theater's zone."""

    place_id: Id | None = None
    movie_id: Id | None = None
    auditorium_number: AuditoriumNumber | None = None
    day: DayText | None = None
    starts_from: InstantText | None = None
    starts_before: InstantText | None = None
    ends_after: InstantText | None = None
    # Query values are text; this one alone is read as a number.
    limit: int = Field(200, ge=1, le=1000)
    cursor: str | None = Field(None, pattern=r"^\d{1,18}-\d{1,18}$")


class ShowingsQuery(_Input):
    """Query of the page of showings."""

    theater: Id | None = None
    day: DayText | None = None


class SaleBody(_Input):
    """Body of POST /api/purchases, and the form of POST /purchases."""

    showtime_id: Id


class StartBody(_Input):
    """Body of POST /api/screenings/{showtime_id}/start: how well the projection system knows it."""

    movie_start_bound_ms: int = Field(STARTED_BOUND_MS, ge=0, le=3_600_000, strict=True)


class DelayBody(_Input):
    """Body of POST /api/screenings/{showtime_id}/delay."""

    minutes: int = Field(ge=1, le=240, strict=True)


class DelayForm(_Input):
    """The same as a form, where a number is text."""

    minutes: int = Field(ge=1, le=240)


class MoveBody(_Input):
    """Body and form of moving a screening."""

    auditorium_number: AuditoriumNumber


class CancellationForm(_Input):
    """Form by which the operator takes a ticket back."""

    purchase_id: Id


class OperatorQuery(_Input):
    """Query of the operator's page; `changed` and `ticket` say what was done last."""

    theater: Id | None = None
    day: DayText | None = None
    changed: Id | None = None
    ticket: Literal["cancelled"] | None = None


class NoBody(_Input):
    """Body of a call that needs no more than its address: `{}`."""


class NewScreeningBody(_Input):
    """Body of POST /api/screenings."""

    movie_id: Id
    place_id: Id
    auditorium_number: AuditoriumNumber
    previews_start: InstantText
    movie_start: InstantText
    credits_end: InstantText | None = None
    movie_start_bound_ms: int = Field(SCHEDULE_BOUND_MS, ge=0, le=3_600_000, strict=True)


M = TypeVar("M", bound=_Input)


def read_query(request: web.Request, model: type[M]) -> M:
    """The query as *model*; raises InvalidInputError. Unknown parameters are passed over."""
    query = request.query
    # keys() of a MultiDict may leave the doubles out.
    twice = [name for name in dict.fromkeys(query) if len(query.getall(name)) > 1]
    if twice:
        raise InvalidInputError(tuple(InvalidField(name, "is given twice") for name in twice))
    try:
        return model.model_validate(dict(query))
    except ValidationError as error:
        raise InvalidInputError(_fields(error)) from error


async def read_form(request: web.Request, model: type[M]) -> M:
    """The posted form as *model*; raises InvalidBodyError."""
    if request.content_type != "application/x-www-form-urlencoded":
        field = InvalidField("Content-Type", "must be application/x-www-form-urlencoded")
        raise InvalidBodyError((field,))
    try:
        form = dict(await request.post())
    except (LookupError, ValueError) as error:
        # An unknown charset, or bytes that are none of it.
        raise InvalidBodyError((InvalidField("body", "is not a form"),)) from error
    try:
        return model.model_validate(form)
    except ValidationError as error:
        raise InvalidBodyError(_fields(error)) from error


async def read_json(request: web.Request, model: type[M]) -> M:
    """The JSON body as *model*; raises InvalidBodyError.

    The media type is required: a page of another site cannot send it without asking first (Fetch,
    CORS preflight), and nobody here says yes.
    """
    if request.content_type != "application/json":
        raise InvalidBodyError((InvalidField("Content-Type", "must be application/json"),))
    try:
        data = json.loads(
            await request.read(), object_pairs_hook=_without_doubles, parse_float=_number
        )
    except (ValueError, RecursionError) as error:
        raise InvalidBodyError((InvalidField("body", "is not JSON (RFC 8259)"),)) from error
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InvalidBodyError(_fields(error)) from error


def _number(text: str) -> float:
    # 7.0 is an integer as well (JSON Schema 2020-12 core, 4.2.3): not every writer has the two.
    value = float(text)
    return int(value) if value.is_integer() else value


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # RFC 8259 4: with a name given twice, readers differ in what they see.
    for name, count in Counter(name for name, _ in pairs).items():
        if count > 1:
            raise InvalidBodyError((InvalidField(name, "is given twice"),))
    return dict(pairs)


def read_wait_s(request: web.Request, longest_s: float) -> float:
    """Seconds of `Prefer: wait=<seconds>` (RFC 7240 4.3), at most *longest_s*; 0 without it."""
    for preference in request.headers.get("Prefer", "").split(","):
        name, _, value = preference.strip().partition("=")
        if name.strip().lower() == "wait" and value.strip().isascii() and value.strip().isdigit():
            return min(float(value), longest_s)
    return 0.0


def _fields(error: ValidationError) -> tuple[InvalidField, ...]:
    return tuple(
        InvalidField(
            ".".join(str(part) for part in item["loc"]) or "body",
            "is missing" if item["type"] == "missing" else _plain(item["msg"]),
        )
        for item in error.errors(include_url=False, include_input=False, include_context=False)
    )


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ")
