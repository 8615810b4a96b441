"""What the partner tells of a screening, and whether it can be true. Pure.

The answer of `GET /screening/details`: the six fields of the seed and those that the app and the
healing need (docs/design.md). Whatever is wrong with it gets a stable word.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Self
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

from catalog.errors import PartnerAnswerError, PartnerUnavailableError
from catalog.instants import Instant
from catalog.models import ScreeningStatus
from catalog.notices import PartnerId

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


class ScreeningDetails(BaseModel):
    """One screening as the partner has it now. Instants are UTC; unknown fields are passed over.

    `revision` grows with each change of that screening. `showtime_id` may be missing in an answer;
    `check_showtime` decides what that means.
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


def read_details(body: bytes) -> ScreeningDetails:
    """Details in a JSON *body*.

    Raises PartnerUnavailableError where it is no JSON (a proxy's error page: it will pass), and
    PartnerAnswerError where it is and says what cannot be.
    """
    try:
        return ScreeningDetails.model_validate_json(body)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
    if problem["type"] == "json_invalid":
        raise PartnerUnavailableError("not-json", "the answer is not JSON")
    reason = problem["type"] if problem["type"] in _REASONS else "malformed"
    where = ".".join(str(part) for part in problem["loc"]) or "the answer"
    raise PartnerAnswerError(reason, f"{where}: {problem['msg']}")


def check_showtime(details: ScreeningDetails, showtime_id: str) -> None:
    """Raise PartnerAnswerError unless *details* are of the showtime that was asked for.

    movieId, placeId and auditoriumNumber alone name many showings: one that is not echoed may be
    any of them, and a wrong guess would play a film at the wrong time.
    """
    if details.showtime_id is None:
        raise PartnerAnswerError("showtime-missing", "the answer does not name its showtime_id")
    if details.showtime_id != showtime_id:
        raise PartnerAnswerError(
            "showtime-mismatch",
            f"asked for showtime {showtime_id[:80]}, was told of {details.showtime_id[:80]}",
        )
