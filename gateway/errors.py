"""Everything that the gateway itself refuses.

GatewayError
├── SecretsError                 a key file is missing, readable by others, or there already
├── ListenError                  the address cannot be listened on
├── WorkersError                 the processes that answer die at once, again and again
├── BackupError                  no backup can be made or used
│   ├── BackupNotFoundError      there is none, or none of that name
│   └── BackupDamagedError       what is stored is not what was written
├── RequestError                 what was sent cannot be read
│   ├── BodySyntaxError          not JSON
│   │   └── BodyDoubledKeyError  JSON with a key twice in one object; names it
│   ├── BodyInvalidError         JSON of another form; names each field
│   ├── BodyTooLargeError
│   ├── BodyLateError            it did not come in time
│   ├── BodyTypeError            another Content-Type or Content-Encoding
│   ├── QueryError               a parameter is missing, twice, or of another form
│   ├── NotAcceptableError       none of the offered forms is accepted
│   ├── PreconditionFailedError  If-Match names another version
│   └── RangeUnsatisfiableError  no byte of the range exists
├── AccessError                  a credential that does not open this
│   ├── ListenerRefusedError     bearer missing or wrong
│   ├── ClaimRefusedError        a claim code that nobody signed
│   ├── OperatorRefusedError     the operator's token or session is missing or wrong
│   ├── StreamRefusedError       a live token of a screening that the ticket no longer has
│   └── WrongMovieError          the ticket is for another movie
├── OpsClosedError               there is no operator's token here
├── PosterNotFoundError          no film of that id has one
├── PosterUnavailableError       its source does not send it now
├── EventStreamsFullError        as many listeners are connected as this server keeps
├── RateLimitedError             came too often; names the policies and when to come again
└── ListeningError               nothing to listen to (now)
    ├── NoTicketError            no ticket of this listener is for the movie
    ├── NotEnrichedError         the purchase is still being looked up
    ├── TicketParkedError        the purchase waits for a person of the cinema's
    ├── ScreeningCancelledError
    ├── ScreeningEndedError
    ├── NotDescribedError        no track in this language
    └── RenditionNotFoundError
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class GatewayError(Exception):
    """Base of all errors of this package; `code` is stable and safe to show."""

    code = "gateway-error"


class SecretsError(GatewayError):
    """A key file cannot be used or made; the message names it and the mend, never its content."""

    code = "secrets"


class ListenError(GatewayError):
    """The address cannot be listened on."""

    code = "listen"

    def __init__(self, host: str, port: int, message: str) -> None:
        super().__init__(
            f"cannot listen on {host} port {port}: {message}; choose another by --port or [server]"
        )
        self.host = host
        self.port = port


class WorkersError(GatewayError):
    """No worker answers, and each dies soon after its start; `deaths` in a row."""

    code = "workers"

    def __init__(self, deaths: int) -> None:
        super().__init__(
            f"{deaths} workers in a row died at their start, and none answers; "
            "what they wrote above says why"
        )
        self.deaths = deaths


class BackupError(GatewayError):
    """Base for a backup that cannot be made, found or trusted."""

    code = "backup"


class BackupNotFoundError(BackupError):
    """There is no backup at `where`, or none of the wanted name."""

    code = "backup-not-found"

    def __init__(self, where: str, name: str | None = None) -> None:
        super().__init__(f"{where}: there is no backup" + ("" if name is None else f" {name[:80]}"))
        self.where = where


class BackupDamagedError(BackupError):
    """The stored bytes have another digest than when they were written: nothing was restored."""

    code = "backup-damaged"

    def __init__(self, where: str) -> None:
        super().__init__(
            f"{where}: is not what was written (its SHA-256 differs); choose another by --name"
        )
        self.where = where


class RequestError(GatewayError):
    """Base for a request that cannot be read."""

    code = "request-error"


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one field; `field` is its path, as in `data.showtime_id`."""

    field: str
    detail: str


class BodySyntaxError(RequestError):
    """The body is not the JSON object that it should be."""

    code = "invalid-body"


class BodyDoubledKeyError(BodySyntaxError):
    """One object of the body has the key `field` twice."""

    code = "invalid-body"

    def __init__(self, field: str) -> None:
        super().__init__(f"{field!r} stands twice in one object")
        self.faults = (FieldFault(field, "stands twice in one object"),)


class BodyInvalidError(RequestError):
    """JSON, but not of the asked form; `faults` names each field."""

    code = "invalid-body"

    def __init__(self, faults: Sequence[FieldFault]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.detail}" for fault in faults))
        self.faults = tuple(faults)


class BodyTooLargeError(RequestError):
    """The body is longer than `limit_bytes`."""

    code = "body-too-large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"the body is longer than {limit_bytes} bytes")
        self.limit_bytes = limit_bytes


class BodyLateError(RequestError):
    """The body did not come in time."""

    code = "body-late"


class BodyTypeError(RequestError):
    """The body is not of the media type, or is encoded."""

    code = "unsupported-media-type"


class QueryError(RequestError):
    """The query does not have the asked form; `faults` names each parameter."""

    code = "invalid-query"

    def __init__(self, faults: Sequence[FieldFault]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.detail}" for fault in faults))
        self.faults = tuple(faults)


class NotAcceptableError(RequestError):
    """The client accepts none of `offers`."""

    code = "not-acceptable"

    def __init__(self, offers: Sequence[str]) -> None:
        super().__init__(f"accept one of {', '.join(offers)}")
        self.offers = tuple(offers)


class PreconditionFailedError(RequestError):
    """If-Match names another version of what is there."""

    code = "precondition-failed"

    def __init__(self) -> None:
        super().__init__("what is stored is not the version that If-Match names")


class RangeUnsatisfiableError(RequestError):
    """No byte of the range exists; the file has `size_bytes`."""

    code = "range-not-satisfiable"

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"the range lies outside the {size_bytes} bytes that there are")
        self.size_bytes = size_bytes


class AccessError(GatewayError):
    """Base for a refused credential. The client gets one message; `reason` is for the log."""

    code = "access-refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ListenerRefusedError(AccessError):
    """The bearer is missing, malformed or not ours."""

    code = "listener-refused"


class ClaimRefusedError(AccessError):
    """The claim code is not one that Tell signed."""

    code = "claim-refused"


class OperatorRefusedError(AccessError):
    """The operator's token, her session or the form that she sent is not right."""

    code = "operator-refused"


class StreamRefusedError(AccessError):
    """A token that is rightly signed and alive, for a screening that is no longer the ticket's."""

    code = "stream-refused"


class WrongMovieError(AccessError):
    """The ticket is the listener's, but for another movie than the one in the path."""

    code = "wrong-movie"

    def __init__(self, correlation_id: str, movie_id: str) -> None:
        super().__init__("the ticket is for another movie")
        self.correlation_id = correlation_id
        self.movie_id = movie_id


class RateLimitedError(GatewayError):
    """The client came more often than `policy` allows; nothing was done."""

    code = "rate-limited"

    def __init__(self, policy: str, quota: int, window_s: int, retry_after_s: int) -> None:
        super().__init__(
            f"more than {quota} requests in {window_s} s; try again in {retry_after_s} s"
        )
        self.policy = policy
        self.retry_after_s = retry_after_s


class OpsClosedError(GatewayError):
    """Nobody can be the operator: this server has no token for her."""

    code = "ops-closed"

    def __init__(self) -> None:
        super().__init__("make the operator's token with `tell keys init`, and start Tell again")


class PosterNotFoundError(GatewayError):
    """There is no poster of that film."""

    code = "poster-not-found"

    def __init__(self, movie_id: str) -> None:
        super().__init__("there is no poster of this film")
        self.movie_id = movie_id


class PosterUnavailableError(GatewayError):
    """The picture's source is down or sends something else; `retry_after_s` is when to try."""

    code = "poster-unavailable"

    def __init__(self, movie_id: str, retry_after_s: int) -> None:
        super().__init__("the poster cannot be fetched from where it is")
        self.movie_id = movie_id
        self.retry_after_s = retry_after_s


class EventStreamsFullError(GatewayError):
    """As many connections as this server keeps, or it stops; `retry_after_s` is when to try."""

    code = "event-streams-full"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"this server keeps {limit} connections for events and no more; try again soon, and "
            "ask for the ticket meanwhile"
        )
        self.retry_after_s = 5


class ListeningError(GatewayError):
    """Base for a ticket that opens nothing (now)."""

    code = "listening-error"


class NoTicketError(ListeningError):
    """The listener has no ticket for `movie_id`."""

    code = "ticket-not-found"

    def __init__(self, movie_id: str) -> None:
        super().__init__(f"this listener has no ticket for {movie_id}")
        self.movie_id = movie_id


class NotEnrichedError(ListeningError):
    """The purchase is accepted, and the cinema has not been asked about it yet."""

    code = "not-enriched"

    def __init__(self, correlation_id: str, retry_after_s: int) -> None:
        super().__init__(f"the screening is being looked up; try again in {retry_after_s} s")
        self.correlation_id = correlation_id
        self.retry_after_s = retry_after_s


class TicketParkedError(ListeningError):
    """The cinema's answer about the purchase does not say which showing it is for.

    A person looks at it; the ticket is not lost, and nobody need ask more often than so.
    """

    code = "ticket-parked"

    def __init__(self, correlation_id: str, retry_after_s: int) -> None:
        super().__init__("the cinema is checking this ticket; it will open here by itself")
        self.correlation_id = correlation_id
        self.retry_after_s = retry_after_s


class ScreeningCancelledError(ListeningError):
    """The screening does not take place, or the purchase was cancelled."""

    code = "screening-cancelled"

    def __init__(self, correlation_id: str, what: str = "screening") -> None:
        super().__init__(f"the {what} was cancelled")
        self.correlation_id = correlation_id


class ScreeningEndedError(ListeningError):
    """The credits have ended, and the time after them too."""

    code = "screening-ended"

    def __init__(self, correlation_id: str) -> None:
        super().__init__("the screening is over")
        self.correlation_id = correlation_id


class NotDescribedError(ListeningError):
    """No track of the movie is in `language`; `languages` are those that are published."""

    code = "not-described"

    def __init__(self, movie_id: str, language: str, languages: Sequence[str]) -> None:
        super().__init__(
            f"{movie_id} is not described in {language}, but in {', '.join(languages)}"
        )
        self.movie_id = movie_id
        self.language = language
        self.languages = tuple(languages)


class RenditionNotFoundError(ListeningError):
    """The track has no such rendition."""

    code = "not-found"

    def __init__(self, wanted: str, renditions: Sequence[str]) -> None:
        super().__init__(f"the track has no {wanted}, but {', '.join(renditions)}")
        self.renditions = tuple(renditions)
