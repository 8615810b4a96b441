"""What AMC-clone sends, whatever it says: limited, read, its signature verified, then believed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from catalog.errors import WebhookSignatureError
from catalog.keys.webhooks import verify_webhook
from gateway.bodies import parse_object, read_json
from gateway.keys import CLOCK, METRICS, POLICIES, SETTINGS, WEBHOOK_KEYS
from gateway.limits import Policy
from gateway.throttling import client_of, throttle
from gateway.tracing import traceparent_of

_SIGNATURE_HEADERS = ("x-api-key", "webhook-id", "webhook-timestamp", "webhook-signature")


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """A rightly signed message.

    `webhook_id` is the same at each try of the sender, and `body_sha256` (lower-case hexadecimal)
    must be too. `traceparent` is the sender's, where it sent a valid one.
    """

    environment: str
    webhook_id: str
    body_sha256: str
    traceparent: str | None
    data: dict[str, Any]


async def read_signed(request: web.Request, by_key: Policy) -> SignedMessage:
    """Read one message of a partner; *by_key* limits what one environment may send.

    The limit by address comes first, since it costs least. The one by key counts only what is
    rightly signed: a stranger who knows a key id cannot use up the partner's share.
    Raises RateLimitedError, BodyTypeError, BodyTooLargeError, BodyLateError, WebhookError,
    BodySyntaxError.
    """
    app = request.app
    limits = app[SETTINGS].purchases
    await throttle(request, app[POLICIES].partner_ip, client_of(request))
    body = await read_json(request)
    now = app[CLOCK]()
    _refuse_doubled(request)
    verified = verify_webhook(
        app[WEBHOOK_KEYS].key_sets(now), request.headers, body, now, limits.signature_tolerance
    )
    app[METRICS].signed.labels(verified.environment, verified.key_name).inc()
    await throttle(request, by_key, verified.environment)
    return SignedMessage(
        environment=verified.environment,
        webhook_id=verified.webhook_id,
        body_sha256=hashlib.sha256(body).hexdigest(),
        traceparent=traceparent_of(request),
        data=parse_object(body),
    )


def _refuse_doubled(request: web.Request) -> None:
    """Raise WebhookSignatureError for a header given twice: readers could take different ones."""
    for name in _SIGNATURE_HEADERS:
        if len(request.headers.getall(name, ())) > 1:
            raise WebhookSignatureError(f"the {name} header is given more than once")
