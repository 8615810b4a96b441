"""Everything that can go wrong with purchases, claims and the partner.

CatalogError
├── PurchaseError
│   ├── PurchaseConflictError     the same purchase_id with other fields
│   └── IntakeFullError           the purchase cannot be stored just now; try again
├── WebhookError
│   ├── WebhookKeyError           an unknown x-api-key
│   ├── WebhookSignatureError     no signature fits
│   └── WebhookTimestampError     too old, or from the future
├── ClaimError
│   ├── TicketNotFoundError       no such ticket, or not this listener's
│   └── DeviceLimitError          as many devices as the purchase allows hold it already
├── PartnerError
│   ├── PartnerUnavailableError   down, slow, failing or unreadable: try again
│   ├── ScreeningUnknownError     404: the partner does not know this screening (yet)
│   └── PartnerAnswerError        an answer that is read and cannot be true
├── SecretFileError               a file of webhook secrets that cannot be used
└── DatabaseError                 the database cannot be reached or is of another version
"""

from __future__ import annotations


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
    """No answer, a time-out, a status that is not 200 or 404, or no JSON: to be tried again."""

    code = "partner-unavailable"


class ScreeningUnknownError(PartnerError):
    """404: the partner does not know this screening (yet). It never means cancelled."""

    code = "screening-unknown"


class PartnerAnswerError(PartnerError):
    """An answer that is not of the agreed form, or cannot be true: for a person to look at."""

    code = "partner-answer"


class SecretFileError(CatalogError):
    """A file of webhook secrets cannot be used; the message names the line and never shows it."""

    code = "secret-file"


class DatabaseError(CatalogError):
    """The database cannot be reached, or its schema is not ours."""

    code = "database-error"
