"""What the partner tells of a screening, and whether it can be true. Pure.

The answer of `GET /screening/details`: the six fields of the seed and those that the app and the
healing need (docs/design.md). Whatever is wrong with it gets a stable word.
`catalog.enrichment.ambiguity` chooses where an answer does not say which showing it is about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Self, TypeVar
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from catalog.errors import PartnerAnswerError, PartnerUnavailableError, ShowtimeEchoError
from catalog.instants import Instant
from catalog.models import ScreeningStatus
from catalog.purchases.notices import MovieId, PartnerId

# The errors below that have their own word; any other is "malformed".
_REASONS = frozenset({"poster-path", "unknown-time-zone", "impossible-times", "impossible-instant"})
_LONGEST = timedelta(hours=24)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
# A path below the poster base URL: "//host/x" and "/../x" would lead elsewhere.
_POSTER_PATH = re.compile(r"(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+", re.ASCII)


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _poster_path(value: str) -> str:
    if _POSTER_PATH.fullmatch(value) is None:
        raise PydanticCustomError(
            "poster-path", "must be a path such as /posters/film.jpg, not a URL"
        )
    return value


def _time_zone(value: str) -> str:
    if value not in _time_zones():
        raise PydanticCustomError(
            "unknown-time-zone", "must be an IANA time zone such as America/Chicago"
        )
    return value


def _possible(value: datetime) -> datetime:
    if not _EARLIEST <= value < _LATEST:
        raise PydanticCustomError("impossible-instant", "must lie in the years 2000 to 2199")
    return value


Text = Annotated[str, Field(min_length=1, max_length=255)]
ShowingInstant = Annotated[Instant, AfterValidator(_possible)]


@dataclass(frozen=True, slots=True)
class Question:
    """What the partner is asked about: the ids of a purchase, verbatim."""

    movie_id: str
    place_id: str
    auditorium_number: str
    showtime_id: str


class ScreeningDetails(BaseModel):
    """One screening as the partner has it now. Instants are UTC; unknown fields are passed over.

    `revision` grows with each change of that screening. `showtime_id` may be missing in an answer;
    `check_answer` decides what that means. `movie_id` and `place_id` need not be told.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    title: Text
    poster_path: Annotated[str, Field(max_length=255), AfterValidator(_poster_path)] | None
    audio_description_path: Text | None
    previews_start: ShowingInstant
    movie_start: ShowingInstant
    credits_end: ShowingInstant
    showtime_id: str | None = None
    auditorium_number: PartnerId
    status: Annotated[ScreeningStatus, Field(strict=False)]
    theater_name: Text
    time_zone: Annotated[str, Field(max_length=64), AfterValidator(_time_zone)]
    movie_start_bound_ms: Annotated[int, Field(ge=0, le=86_400_000)]
    revision: Annotated[int, Field(ge=0, lt=2**63)]
    movie_id: MovieId | None = None
    place_id: PartnerId | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.previews_start <= self.movie_start < self.credits_end:
            raise PydanticCustomError(
                "impossible-times",
                "previews_start, movie_start and credits_end must follow each other",
            )
        if self.credits_end - self.previews_start > _LONGEST:
            raise PydanticCustomError("impossible-times", "the screening lasts over 24 hours")
        return self


class _Showings(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    # More than one is all that anybody needs to know.
    showings: Annotated[list[ScreeningDetails], Field(max_length=50)]


_Read = TypeVar("_Read", bound=BaseModel)


def read_details(body: bytes) -> ScreeningDetails:
    """Details in a JSON *body*.

    Raises PartnerUnavailableError where it is no JSON (a proxy's error page: it will pass), and
    PartnerAnswerError where it is and says what cannot be.
    """
    return _read(ScreeningDetails, body)


def read_showings(body: bytes, question: Question) -> list[ScreeningDetails]:
    """The showings in the answer to *question* without its showtimeId.

    One that cannot be read may be the very one, so that none is passed over. Raises as
    read_details does.
    """
    showings = _read(_Showings, body).showings
    for showing in showings:
        _check_place(showing, question)
    return showings


def check_answer(details: ScreeningDetails, question: Question) -> None:
    """Raise PartnerAnswerError unless *details* are of what was asked for."""
    _check_place(details, question)
    check_showtime(details, question.showtime_id)


def check_showtime(details: ScreeningDetails, showtime_id: str) -> None:
    """Raise ShowtimeEchoError unless *details* are of the showtime that was asked for.

    movieId, placeId and auditoriumNumber alone name many showings: one that is not echoed may be
    any of them, and a wrong guess would play a film at the wrong time.
    """
    if details.showtime_id is None:
        raise ShowtimeEchoError("showtime-missing", "the answer does not name its showtime_id")
    if details.showtime_id != showtime_id:
        raise ShowtimeEchoError(
            "showtime-mismatch",
            f"asked for showtime {showtime_id[:80]}, was told of {details.showtime_id[:80]}",
        )


def _check_place(details: ScreeningDetails, question: Question) -> None:
    # The auditorium may be another: a screening that was moved is still the one of the ticket.
    for name in ("movie_id", "place_id"):
        told, asked = getattr(details, name), getattr(question, name)
        if told is not None and told != asked:
            raise PartnerAnswerError(
                f"{name.removesuffix('_id')}-mismatch",
                f"asked about {name} {asked[:80]}, was told of {told[:80]}",
            )


def _read(model: type[_Read], body: bytes) -> _Read:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
    if problem["type"] == "json_invalid":
        raise PartnerUnavailableError("not-json", "the answer is not JSON")
    reason = problem["type"] if problem["type"] in _REASONS else "malformed"
    where = ".".join(str(part) for part in problem["loc"]) or "the answer"
    raise PartnerAnswerError(reason, f"{where}: {problem['msg']}")
