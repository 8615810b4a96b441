"""Everything that can go wrong in AMC-clone.

AmcError
├── InvalidInputError          a parameter that is not of the agreed form
│   └── InvalidBodyError
├── ForeignOriginError         a form or call that another site sent
├── NotFoundError
│   ├── TheaterNotFoundError
│   ├── MovieNotFoundError
│   ├── AuditoriumNotFoundError
│   ├── ScreeningNotFoundError
│   ├── PurchaseNotFoundError
│   └── PosterNotFoundError
├── SaleError
│   ├── ScreeningEndedError      the credits are over
│   ├── ScreeningCancelledError
│   └── ScreeningStartedError    the film runs: it cannot be put off any more
├── ScheduleError
│   └── ScreeningOverlapError    the auditorium is taken then
├── DeliveryError
│   ├── TellUnavailableError     down, slow, or "not now": to be tried again
│   └── TellRefusedError         a final no
├── SecretFileError              the webhook secrets cannot be read
├── SaleRequestError             `amc-clone sell` got no ticket from the service
├── ListenError                  the address cannot be listened on
└── DatabaseError                the database cannot be reached or is of another version
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


class AmcError(Exception):
    """Base of all errors of this package; `code` is stable and safe to show."""

    code = "amc-error"


@dataclass(frozen=True, slots=True)
class InvalidField:
    """One field that is wrong: its name as the caller wrote it, and the rule that it breaks."""

    name: str
    detail: str


class InvalidInputError(AmcError):
    """Parameters or a body that are not of the agreed form; `fields` names each of them."""

    code = "invalid-parameter"

    def __init__(self, fields: tuple[InvalidField, ...]) -> None:
        super().__init__("; ".join(f"{field.name}: {field.detail}" for field in fields))
        self.fields = fields


class InvalidBodyError(InvalidInputError):
    """The same for a request's body."""

    code = "invalid-body"


class ForeignOriginError(AmcError):
    """A request that changes something came from a page of another site."""

    code = "foreign-origin"

    def __init__(self) -> None:
        super().__init__("only pages of this service may send this; open it here and try again")


class NotFoundError(AmcError):
    """Base for what is not there."""

    code = "not-found"


class TheaterNotFoundError(NotFoundError):
    """No theater has this place_id."""

    code = "theater-not-found"

    def __init__(self, place_id: str) -> None:
        super().__init__(f"there is no theater {place_id}")
        self.place_id = place_id


class MovieNotFoundError(NotFoundError):
    """No movie has this movie_id."""

    code = "movie-not-found"

    def __init__(self, movie_id: str) -> None:
        super().__init__(f"there is no movie {movie_id}")
        self.movie_id = movie_id


class AuditoriumNotFoundError(NotFoundError):
    """The theater has no auditorium of this number."""

    code = "auditorium-not-found"

    def __init__(self, place_id: str, auditorium_number: str) -> None:
        super().__init__(f"theater {place_id} has no auditorium {auditorium_number}")
        self.place_id = place_id
        self.auditorium_number = auditorium_number


class ScreeningNotFoundError(NotFoundError):
    """No screening fits; `wanted` says what was looked for."""

    code = "screening-not-found"

    def __init__(self, wanted: str) -> None:
        super().__init__(f"there is no screening {wanted}")
        self.wanted = wanted


class PurchaseNotFoundError(NotFoundError):
    """No purchase has this id. The message leaves it out: who knows the id sees the ticket."""

    code = "purchase-not-found"

    def __init__(self) -> None:
        super().__init__("there is no such purchase")


class PosterNotFoundError(NotFoundError):
    """No poster is drawn for this movie_id."""

    code = "poster-not-found"

    def __init__(self, movie_id: str) -> None:
        super().__init__(f"there is no poster of {movie_id}")
        self.movie_id = movie_id


class SaleError(AmcError):
    """Base for a ticket that cannot be sold."""

    code = "sale-error"


class ScreeningEndedError(SaleError):
    """The film is over since `credits_end`."""

    code = "screening-ended"

    def __init__(self, showtime_id: str, credits_end: datetime) -> None:
        super().__init__(f"screening {showtime_id} ended at {credits_end.isoformat()}")
        self.showtime_id = showtime_id
        self.credits_end = credits_end


class ScreeningCancelledError(SaleError):
    """The screening does not take place."""

    code = "screening-cancelled"

    def __init__(self, showtime_id: str) -> None:
        super().__init__(f"screening {showtime_id} is cancelled")
        self.showtime_id = showtime_id


class ScreeningStartedError(SaleError):
    """The film has begun, so it cannot be put off any more."""

    code = "screening-started"

    def __init__(self, showtime_id: str) -> None:
        super().__init__(f"screening {showtime_id} has started; start it again instead")
        self.showtime_id = showtime_id


class ScheduleError(AmcError):
    """Base for a screening that cannot be put on."""

    code = "schedule-error"


class ScreeningOverlapError(ScheduleError):
    """The auditorium is taken then by the screening `showtime_id`."""

    code = "screening-overlap"

    def __init__(self, showtime_id: str, previews_start: datetime, credits_end: datetime) -> None:
        super().__init__(
            f"screening {showtime_id} has the auditorium from {previews_start.isoformat()} "
            f"to {credits_end.isoformat()}; choose another auditorium or time"
        )
        self.showtime_id = showtime_id


class DeliveryError(AmcError):
    """A message that Tell did not take; `status` is its HTTP status, None without an answer."""

    code = "delivery-error"

    def __init__(self, status: int | None, said: str) -> None:
        super().__init__(said if status is None else f"{status}: {said}")
        self.status = status
        self.said = said


class TellUnavailableError(DeliveryError):
    """To be tried again, after `retry_after_s` if Tell named a time."""

    code = "tell-unavailable"

    def __init__(self, status: int | None, said: str, retry_after_s: float = 0.0) -> None:
        super().__init__(status, said)
        self.retry_after_s = retry_after_s


class TellRefusedError(DeliveryError):
    """The same message will never be taken: a person must look."""

    code = "tell-refused"


class SecretFileError(AmcError):
    """The file of webhook secrets cannot be read or used; its content is never in the message."""

    code = "secret-file"


class SaleRequestError(AmcError):
    """`amc-clone sell` could not buy; the message is what the service said."""

    code = "sale-request"


class DatabaseError(AmcError):
    """The database cannot be reached, or its schema is not ours."""

    code = "database-error"


class ListenError(AmcError):
    """The address cannot be listened on: taken, or not this machine's."""

    code = "listen"

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"cannot listen on {host} port {port}: {reason}; choose another --port")
        self.host = host
        self.port = port
