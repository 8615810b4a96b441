"""Which credential was refused, and why, in few words: labels of a metric. Pure."""

from __future__ import annotations

from catalog.errors import (
    WebhookError,
    WebhookKeyError,
    WebhookSignatureError,
    WebhookTimestampError,
)
from gateway.errors import (
    AccessError,
    ClaimRefusedError,
    ListenerRefusedError,
    OperatorRefusedError,
)
from media.errors import TokenError

_PURPOSES: tuple[tuple[type[Exception], str], ...] = (
    (WebhookError, "webhook"),
    (ListenerRefusedError, "listener"),
    (ClaimRefusedError, "claim"),
    (OperatorRefusedError, "operator"),
    # A token in a path, and what was wrong with the ticket that it is for.
    (AccessError, "stream"),
    (TokenError, "stream"),
)

# The partner gets one code for all of these; who mends it must know whether it is a clock.
_WEBHOOK: dict[type[Exception], str] = {
    WebhookKeyError: "webhook-key",
    WebhookSignatureError: "webhook-signature",
    WebhookTimestampError: "webhook-timestamp",
}


def refusal_of(error: Exception) -> tuple[str, str] | None:
    """What a credential was for and the code of its fault; None where it was not refused.

    A claim code or a bearer that is refused since its signature is wrong says so: the fault is the
    signature's.
    """
    for kind, purpose in _PURPOSES:
        if isinstance(error, kind):
            cause = error.__cause__
            fault = cause if isinstance(cause, TokenError) else error
            return purpose, _WEBHOOK.get(type(fault), str(getattr(fault, "code", "refused")))
    return None
