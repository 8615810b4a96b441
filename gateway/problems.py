"""The one table that turns errors into answers (RFC 9457, application/problem+json).

What is not in the table is a bug: its traceback is logged and the client gets a 500 that says
nothing. A refused credential gets one message for every reason; the reason is for the log.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web

from catalog.errors import (
    CorrectionError,
    DatabaseError,
    DeviceLimitError,
    IntakeFullError,
    NothingToRetryError,
    PurchaseAmbiguousError,
    PurchaseConflictError,
    PurchaseNotFoundError,
    ScreeningConflictError,
    ScreeningNotFoundError,
    StartChangedError,
    TicketNotFoundError,
    WebhookError,
    WebhookIdReusedError,
)
from gateway.errors import (
    BodyDoubledKeyError,
    BodyInvalidError,
    BodyLateError,
    BodySyntaxError,
    BodyTooLargeError,
    BodyTypeError,
    ClaimRefusedError,
    EventStreamsFullError,
    ListenerRefusedError,
    NotAcceptableError,
    NotDescribedError,
    NotEnrichedError,
    NoTicketError,
    OperatorRefusedError,
    OpsClosedError,
    PosterNotFoundError,
    PosterUnavailableError,
    PreconditionFailedError,
    QueryError,
    RangeUnsatisfiableError,
    RateLimitedError,
    RenditionNotFoundError,
    ScreeningCancelledError,
    ScreeningEndedError,
    StreamRefusedError,
    TicketParkedError,
    WrongMovieError,
)
from gateway.logs import masked_text
from media.errors import InvalidIdError, StorageError, TokenError, TrackNotFoundError

MEDIA_TYPE = "application/problem+json"
_PROBLEM_PATH = "/problems/"


@dataclass(frozen=True, slots=True)
class Kind:
    """How one error is answered. Without a `detail` the error's own message is shown."""

    status: int
    code: str
    title: str
    detail: str | None = None


_TOKEN = "The token in this address does not open it. Ask /media/audio for a new one."  # noqa: S105  (a message, not a password)

TABLE: dict[type[Exception], Kind] = {
    # What cannot be read.
    BodySyntaxError: Kind(400, "invalid-body", "The body cannot be read"),
    BodyInvalidError: Kind(422, "invalid-body", "The body has wrong fields"),
    BodyTooLargeError: Kind(413, "body-too-large", "The body is too large"),
    BodyLateError: Kind(408, "body-late", "The body did not come in time"),
    BodyTypeError: Kind(415, "unsupported-media-type", "The body has another type"),
    QueryError: Kind(400, "invalid-query", "The query has wrong parameters"),
    InvalidIdError: Kind(400, "invalid-id", "An id has a wrong form"),
    NotAcceptableError: Kind(406, "not-acceptable", "No offered form is accepted"),
    PreconditionFailedError: Kind(412, "precondition-failed", "Another version is stored"),
    RangeUnsatisfiableError: Kind(416, "range-not-satisfiable", "The range does not exist"),
    # Refused credentials.
    WebhookError: Kind(
        401,
        "webhook-refused",
        "The purchase is not rightly signed",
        "Sign the raw body after Standard Webhooks 1.0 with a secret of the key set that x-api-key "
        "names, at the present time.",
    ),
    ListenerRefusedError: Kind(
        401,
        "token-refused",
        "The listener is not known",
        "Send the listener token of POST /tell/claims as a bearer.",
    ),
    ClaimRefusedError: Kind(
        403, "token-refused", "The claim code is not right", "Open the link of the ticket again."
    ),
    OperatorRefusedError: Kind(
        401,
        "operator-refused",
        "Log in",
        "The token is not right, the session is over, or the form is of another session.",
    ),
    StreamRefusedError: Kind(403, "token-refused", "The token does not open this", _TOKEN),
    TokenError: Kind(403, "token-refused", "The token does not open this", _TOKEN),
    WrongMovieError: Kind(403, "wrong-movie", "The ticket is for another movie"),
    # Purchases and tickets.
    PurchaseConflictError: Kind(
        409, "purchase-conflict", "The purchase was sent with other fields"
    ),
    WebhookIdReusedError: Kind(
        409, "webhook-id-reused", "The webhook-id was another message's before"
    ),
    IntakeFullError: Kind(503, "intake-full", "Too many purchases at once"),
    RateLimitedError: Kind(429, "rate-limited", "Too many requests"),
    ScreeningConflictError: Kind(
        409, "screening-conflict", "The showtime belongs to another film or theater"
    ),
    EventStreamsFullError: Kind(503, "event-streams-full", "Too many listeners are connected"),
    TicketNotFoundError: Kind(404, "ticket-not-found", "There is no such ticket"),
    NoTicketError: Kind(404, "ticket-not-found", "There is no ticket for this movie"),
    DeviceLimitError: Kind(409, "too-many-devices", "Too many devices hold this ticket"),
    NotEnrichedError: Kind(409, "not-enriched", "The screening is still being looked up"),
    TicketParkedError: Kind(409, "ticket-parked", "The cinema is checking this ticket"),
    # The operator's pages.
    OpsClosedError: Kind(404, "ops-closed", "The operator's page is closed"),
    ScreeningNotFoundError: Kind(404, "screening-not-found", "There is no such screening"),
    PurchaseNotFoundError: Kind(404, "purchase-not-found", "There is no such purchase"),
    PurchaseAmbiguousError: Kind(409, "purchase-ambiguous", "Several purchases have this id"),
    NothingToRetryError: Kind(409, "nothing-to-retry", "The purchase does not wait"),
    StartChangedError: Kind(409, "start-changed", "The start has changed meanwhile"),
    CorrectionError: Kind(409, "correction-too-far", "The start is too far from the cinema's"),
    # Listening.
    ScreeningCancelledError: Kind(410, "screening-cancelled", "The screening was cancelled"),
    ScreeningEndedError: Kind(410, "screening-ended", "The screening is over"),
    NotDescribedError: Kind(404, "not-described", "The movie is not described in this language"),
    TrackNotFoundError: Kind(404, "not-described", "The movie is not described"),
    RenditionNotFoundError: Kind(404, "not-found", "There is no such rendition"),
    PosterNotFoundError: Kind(404, "poster-not-found", "The film has no poster"),
    # What is broken behind the gateway.
    PosterUnavailableError: Kind(503, "poster-unavailable", "The poster cannot be fetched"),
    StorageError: Kind(
        503, "storage-unavailable", "The tracks cannot be read", "Try again in a moment."
    ),
    DatabaseError: Kind(
        503, "database-unavailable", "The database cannot be reached", "Try again in a moment."
    ),
}
NOT_FOUND = Kind(404, "not-found", "There is nothing here", "No route has this path.")
METHOD_NOT_ALLOWED = Kind(
    405, "method-not-allowed", "This method is not for this path", "See the Allow header."
)
INTERNAL = Kind(
    500,
    "internal",
    "Something broke in Tell",
    "It was logged under this correlation_id; try again, or report it.",
)

_UNKNOWN_RETRY_S = 5
# Those that know themselves when to come again.
_WITH_RETRY_AFTER = (
    EventStreamsFullError,
    IntakeFullError,
    NotEnrichedError,
    PosterUnavailableError,
    RateLimitedError,
    TicketParkedError,
)


def kind_of(error: Exception) -> Kind | None:
    """Row of the table for an error: its own, else its nearest base class's; None is a bug."""
    for base in type(error).__mro__:
        if kind := TABLE.get(base):
            return kind
    return None


def http_kind(error: web.HTTPException) -> Kind:
    """Row for an error that aiohttp itself raised."""
    if isinstance(error, web.HTTPNotFound):
        return NOT_FOUND
    if isinstance(error, web.HTTPMethodNotAllowed):
        return METHOD_NOT_ALLOWED
    phrase = HTTPStatus(error.status).phrase
    return Kind(error.status, phrase.lower().replace(" ", "-"), phrase, phrase)


def problem_body(kind: Kind, error: Exception, correlation_id: str) -> bytes:
    """The problem details of *error* (RFC 9457 3)."""
    members: dict[str, Any] = {
        "type": f"{_PROBLEM_PATH}{kind.code}",
        "title": kind.title,
        "status": kind.status,
        # People paste problems into tickets, and an error may quote what was sent.
        "detail": kind.detail or masked_text(str(error)),
        "code": kind.code,
        "correlation_id": correlation_id,
        **_members(error),
    }
    return json.dumps(members, ensure_ascii=False).encode()


def problem_headers(error: Exception) -> dict[str, str]:
    """What the answer says of *error* beside its body."""
    return _headers(error) | {"Cache-Control": "no-store"}


def problem_response(kind: Kind, error: Exception, correlation_id: str) -> web.Response:
    """Answer with the problem details of *error*."""
    response = web.Response(
        status=kind.status,
        body=problem_body(kind, error, correlation_id),
        content_type=MEDIA_TYPE,
        headers=problem_headers(error),
    )
    if isinstance(error, BodyLateError | BodyTooLargeError):
        # Nobody reads the rest (RFC 9110 15.5.9 and 15.5.14).
        response.force_close()
    return response


def all_kinds() -> list[Kind]:
    """Every row, for the documents."""
    return [*TABLE.values(), NOT_FOUND, METHOD_NOT_ALLOWED, INTERNAL]


def _members(error: Exception) -> dict[str, Any]:
    """Extension members (RFC 9457 3.2)."""
    if isinstance(error, RateLimitedError):
        # draft-ietf-httpapi-ratelimit-headers-10 5.1.
        return {"violated-policies": [error.policy]}
    if isinstance(error, BodyInvalidError | BodyDoubledKeyError | QueryError):
        return {
            "errors": [
                {"field": masked_text(f.field), "detail": masked_text(f.detail)}
                for f in error.faults
            ]
        }
    if isinstance(error, PurchaseConflictError):
        return {"errors": [{"field": f, "detail": "differs"} for f in error.fields]}
    if isinstance(error, NotDescribedError):
        return {"languages": list(error.languages)}
    return {}


def _headers(error: Exception) -> dict[str, str]:
    if isinstance(error, ListenerRefusedError):
        # RFC 6750 3.
        return {"WWW-Authenticate": 'Bearer realm="tell"'}
    if isinstance(error, OperatorRefusedError):
        # RFC 9110 15.5.2 wants a scheme, and none is registered for a form.
        return {"WWW-Authenticate": 'Cookie realm="tell-ops", form-action="/ops/login"'}
    if isinstance(error, WebhookError):
        # A 401 must name a scheme (RFC 9110 15.5.2), and Standard Webhooks has registered none.
        return {"WWW-Authenticate": 'Standard-Webhooks realm="tell"'}
    if isinstance(error, _WITH_RETRY_AFTER):
        return {"Retry-After": str(error.retry_after_s)}
    if isinstance(error, StorageError | DatabaseError):
        return {"Retry-After": str(_UNKNOWN_RETRY_S)}
    if isinstance(error, RangeUnsatisfiableError):
        # RFC 9110 14.4.
        return {"Content-Range": f"bytes */{error.size_bytes}", "Accept-Ranges": "bytes"}
    if isinstance(error, web.HTTPMethodNotAllowed):
        return {"Allow": ", ".join(sorted(error.allowed_methods))}
    return {}
