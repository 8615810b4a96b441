"""How screenings and purchases look as JSON."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from aiohttp import web

from amc_clone.facts import details_json
from amc_clone.instants import rfc3339
from amc_clone.localday import cinema_day
from amc_clone.models import DeliveryState, Purchase, Screening
from amc_clone.timeline import standing

# What the API says of a purchase, by what became of the message about it.
PURCHASE_STATUS = {
    DeliveryState.PENDING: "pending",
    DeliveryState.DELIVERED: "ready",
    DeliveryState.FAILED: "refused",
}


def listed_json(screening: Screening, now: datetime) -> dict[str, Any]:
    """A screening of a listing: its details, and where it stands at *now*."""
    at = standing(screening, now)
    return details_json(screening) | {
        "running_time_s": screening.movie.running_time_s,
        "day": cinema_day(screening.previews_start, screening.theater.time_zone).isoformat(),
        "phase": at.phase,
        "offset_s": at.offset_s,
        "on_sale": at.on_sale,
    }


def purchase_json(purchase: Purchase) -> dict[str, Any]:
    """A purchase; `listen_url` is the buyer's secret, so this is answered to who knows its id."""
    delivery = purchase.delivery
    refused = delivery.state is DeliveryState.FAILED
    return {
        "purchase_id": purchase.purchase_id,
        "status": PURCHASE_STATUS[delivery.state],
        "purchased_at": rfc3339(purchase.purchased_at),
        "correlation_id": purchase.correlation_id,
        "listen_url": purchase.listen_url,
        "cancelled_at": None if purchase.cancelled_at is None else rfc3339(purchase.cancelled_at),
        "attempts": delivery.attempts,
        "failure": {"status": delivery.last_status, "said": delivery.last_error}
        if refused
        else None,
        "page": f"/purchases/{purchase.purchase_id}",
        "screening": details_json(purchase.screening),
    }


def tagged_json(request: web.Request, data: dict[str, Any]) -> web.Response:
    """*data* with a strong ETag, or 304 for a client that has it (RFC 9110 13.1.2)."""
    body = json.dumps(data, separators=(",", ":")).encode()
    return tagged(request, body, "application/json", "no-cache")


def tagged(
    request: web.Request, body: bytes, content_type: str, cache_control: str
) -> web.Response:
    """*body* with a strong ETag of its content, or 304 (RFC 9110 8.8.3 and 13.1.2)."""
    etag = hashlib.sha256(body).hexdigest()[:32]
    known = request.if_none_match or ()
    headers = {"ETag": f'"{etag}"', "Cache-Control": cache_control}
    # If-None-Match compares weakly: W/"x" and "x" are the same.
    if any(tag.value in {etag, "*"} for tag in known):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, content_type=content_type, headers=headers)
