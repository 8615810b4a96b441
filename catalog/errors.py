"""Everything that can go wrong with purchases, claims and the partner.

CatalogError
├── PurchaseError
│   ├── PurchaseConflictError     the same purchase_id with other fields
│   ├── IntakeFullError           the purchase cannot be stored just now; try again
│   ├── PurchaseNotFoundError     no purchase of that id
│   ├── PurchaseAmbiguousError    several environments have a purchase of that id
│   └── NothingToRetryError       the purchase is a ticket already, or cancelled
├── WebhookIdReusedError          a webhook-id that came before with another body
├── WebhookError
│   ├── WebhookKeyError           an unknown x-api-key
│   ├── WebhookSignatureError     no signature fits
│   └── WebhookTimestampError     too old, or from the future
├── ClaimError
│   ├── TicketNotFoundError       no such ticket, or not this listener's
│   └── DeviceLimitError          as many devices as the purchase allows hold it already
├── PartnerError
│   ├── PartnerUnavailableError   down, slow, failing or unreadable: try again
│   │   └── BreakerOpenError      it was not even asked: the last answers all failed
│   ├── ScreeningUnknownError     404: the partner does not know this screening (yet)
│   └── PartnerAnswerError        an answer that is read and cannot be true
│       ├── ShowtimeEchoError     it does not name the showtime that was asked for
│       └── AmbiguousShowingError several showings are possible, or none
├── ScreeningError
│   ├── ScreeningNotFoundError    no such showtime in that environment
│   ├── ScreeningConflictError    the showtime belongs to another film or theater
│   ├── CorrectionError           a start too far from the partner's
│   └── StartChangedError         the start is not what it was when its correction was asked for
├── CacheUrlError                 where answers are to be kept is neither memory nor Redis
├── SecretFileError               a file of webhook secrets that cannot be used
├── MasterKeyError                the master key is missing, unusable, or not the one that sealed
├── KeyNameError                  no such webhook key, or a secret that is there already
├── DumpError                     a dump of the database that cannot be loaded
│   └── DumpVersionError          it is of a later version
├── DatabaseNotEmptyError         what is to be restored would take the place of rows
└── DatabaseError                 the database cannot be reached or is of another version
    └── WriteConflictError        another writer was first; the same may succeed when run again
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime


class CatalogError(Exception):
    """Base of all errors of this package; `code` is stable and safe to show."""

    code = "catalog-error"


class PurchaseError(CatalogError):
    """Base for a purchase that is not accepted."""

    code = "purchase-error"


class PurchaseConflictError(PurchaseError):
    """The same purchase_id came before with other fields, which `fields` names."""

    code = "purchase-conflict"

    def __init__(self, purchase_id: str, correlation_id: str, fields: tuple[str, ...]) -> None:
        super().__init__(
            f"purchase {purchase_id} was accepted before with another {', '.join(fields)}; "
            "send the same six fields, or a new purchase_id"
        )
        self.purchase_id = purchase_id
        self.correlation_id = correlation_id
        self.fields = fields


class IntakeFullError(PurchaseError):
    """The queue to the disk is full, or Tell is stopping; nothing was stored.

    `retry_after_s` is when to try again.
    """

    code = "intake-full"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"no purchase can be taken just now; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class PurchaseNotFoundError(PurchaseError):
    """No purchase has this correlation id or purchase_id."""

    code = "purchase-not-found"

    def __init__(self, wanted: str) -> None:
        super().__init__(f"there is no purchase {wanted[:80]}")


class PurchaseAmbiguousError(PurchaseError):
    """Several environments use this purchase_id, each for a purchase of its own."""

    code = "purchase-ambiguous"

    def __init__(self, wanted: str, environments: Sequence[str]) -> None:
        super().__init__(
            f"{wanted[:80]} is a purchase in {' and in '.join(environments)}: say which by its "
            "correlation id, or by --environment"
        )
        self.environments = tuple(environments)


class NothingToRetryError(PurchaseError):
    """The purchase does not wait for the partner."""

    code = "nothing-to-retry"

    def __init__(self, wanted: str, state: str) -> None:
        super().__init__(f"purchase {wanted[:80]} is {state}: there is nothing to look up")


class WebhookIdReusedError(CatalogError):
    """A message with this webhook-id and another body came before; this one was not read.

    Standard Webhooks: the id is the message's own, the same at each try and never another's.
    """

    code = "webhook-id-reused"

    def __init__(self, webhook_id: str) -> None:
        super().__init__(
            f"webhook-id {webhook_id[:64]} came before with another body; "
            "send each message with an id of its own, and the same bytes at each try"
        )
        self.webhook_id = webhook_id


class WebhookError(CatalogError):
    """A refused signature. The partner gets one message; `reason` is for the log."""

    code = "webhook-refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WebhookKeyError(WebhookError):
    """The x-api-key header is missing or names no key set."""

    code = "unknown-key"


class WebhookSignatureError(WebhookError):
    """A webhook header is missing or malformed, or no signature fits."""

    code = "bad-signature"


class WebhookTimestampError(WebhookError):
    """The webhook-timestamp lies outside the tolerance."""

    code = "stale-timestamp"


class ClaimError(CatalogError):
    """Base for what a listener may not have."""

    code = "claim-error"


class TicketNotFoundError(ClaimError):
    """No such ticket, or it belongs to another listener: the two are told alike."""

    code = "ticket-not-found"

    def __init__(self, correlation_id: str) -> None:
        super().__init__(f"there is no ticket {correlation_id} for this listener")
        self.correlation_id = correlation_id


class DeviceLimitError(ClaimError):
    """`limit` devices hold the purchase; one of them must release it first."""

    code = "too-many-devices"

    def __init__(self, correlation_id: str, limit: int) -> None:
        super().__init__(
            f"{limit} devices already use this ticket; release it on one of them first"
        )
        self.correlation_id = correlation_id
        self.limit = limit


class PartnerError(CatalogError):
    """Base for what the partner did not answer, or answered wrongly.

    `reason` is a stable word that is kept with the purchase; `detail` is for a person.
    """

    code = "partner-error"

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class PartnerUnavailableError(PartnerError):
    """No answer, a time-out, a status that is not 200 or 404, or no JSON: to be tried again.

    `retry_after_s` is what the partner asked for, 0 for nothing.
    """

    code = "partner-unavailable"

    def __init__(self, reason: str, detail: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(reason, detail)
        self.retry_after_s = retry_after_s


class BreakerOpenError(PartnerUnavailableError):
    """The partner was not asked; `retry_at` is when somebody may try again."""

    code = "breaker-open"

    def __init__(self, retry_at: datetime) -> None:
        super().__init__("breaker-open", f"not asked before {retry_at.isoformat()}")
        self.retry_at = retry_at


class ScreeningUnknownError(PartnerError):
    """404: the partner does not know this screening (yet). It never means cancelled."""

    code = "screening-unknown"


class PartnerAnswerError(PartnerError):
    """An answer that is not of the agreed form, or cannot be true.

    For a person to look at, unless it is soon followed by one that can.
    """

    code = "partner-answer"


class ShowtimeEchoError(PartnerAnswerError):
    """The answer names no showtime_id, or another than was asked for."""

    code = "showtime-echo"


class AmbiguousShowingError(PartnerAnswerError):
    """More than one showing is possible, or none: only a person can tell which it is."""

    code = "ambiguous-showing"


class CacheUrlError(CatalogError):
    """The URL of the cache cannot be used; it may hold a password, so only its scheme is told."""

    code = "cache-url"

    def __init__(self, scheme: str) -> None:
        super().__init__(
            f"the cache's URL begins with {scheme[:20]!r} or cannot be read; "
            "write mem:// or redis://host:port/number"
        )


class SecretFileError(CatalogError):
    """A file of webhook secrets cannot be used; the message names the line and never shows it."""

    code = "secret-file"


class MasterKeyError(CatalogError):
    """The master key cannot be used, or does not open what another one sealed."""

    code = "master-key"


class KeyNameError(CatalogError):
    """The environment has no webhook key of this name, or the secret is kept already."""

    code = "key-name"


class ScreeningError(CatalogError):
    """Base for a screening that cannot be changed."""

    code = "screening-error"


class ScreeningNotFoundError(ScreeningError):
    """Tell knows no such showtime in that environment."""

    code = "screening-not-found"

    def __init__(self, environment: str, showtime_id: str) -> None:
        super().__init__(f"there is no showtime {showtime_id[:80]} of {environment}")
        self.environment = environment
        self.showtime_id = showtime_id


class ScreeningConflictError(ScreeningError):
    """The partner gave one showtime to two films or theaters; nothing was changed."""

    code = "screening-conflict"

    def __init__(self, showtime_id: str, detail: str) -> None:
        super().__init__(f"{detail}; give each showing a showtime_id of its own")
        self.showtime_id = showtime_id


class CorrectionError(ScreeningError):
    """A correction so far from the partner's start that it must be a slip."""

    code = "correction-too-far"

    def __init__(self, showtime_id: str, wanted: datetime, told: datetime) -> None:
        super().__init__(
            f"showtime {showtime_id[:80]} starts at {told.isoformat()} by the partner, and "
            f"{wanted.isoformat()} is over twelve hours from that; look at the date"
        )
        self.showtime_id = showtime_id


class StartChangedError(ScreeningError):
    """The start is another than the one that its correction was made for; nothing was changed."""

    code = "start-changed"

    def __init__(self, showtime_id: str, expected: datetime, found: datetime) -> None:
        super().__init__(
            f"showtime {showtime_id[:80]} starts at {found.isoformat()} by now, and not at "
            f"{expected.isoformat()}; look at it again"
        )
        self.showtime_id = showtime_id


class DatabaseError(CatalogError):
    """The database cannot be reached, or its schema is not ours."""

    code = "database-error"


class WriteConflictError(DatabaseError):
    """Two writers met: a deadlock, or the same key twice. Nothing was changed by this one."""

    code = "write-conflict"


class DumpError(CatalogError):
    """A dump of the database is damaged or of another form; nothing of it was loaded."""

    code = "dump-unreadable"


class DumpVersionError(DumpError):
    """It was made by a later Tell, so nothing here knows how its tables are read."""

    code = "dump-version"


class DatabaseNotEmptyError(CatalogError):
    """The database has rows already, in `table` for one."""

    code = "database-not-empty"

    def __init__(self, table: str) -> None:
        super().__init__(
            f"the database is not empty: {table} has rows; --force puts the backup in their place"
        )
        self.table = table
