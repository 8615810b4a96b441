"""What AMC-clone tells Tell after the sale: a screening changed, a purchase was taken back."""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web
from pydantic import Field, RootModel

from catalog.errors import (
    DatabaseError,
    ScreeningConflictError,
    WebhookError,
    WebhookIdReusedError,
)
from catalog.keys.webhook_messages import Message
from catalog.screenings.screening_events import (
    CANCELLATION_TYPE,
    SCREENING_TYPES,
    PurchaseCancelled,
    ScreeningChanged,
)
from gateway.bodies import validate
from gateway.errors import (
    BodyInvalidError,
    BodyLateError,
    BodySyntaxError,
    BodyTooLargeError,
    BodyTypeError,
    FieldFault,
    RateLimitedError,
)
from gateway.keys import METRICS, POLICIES, SCREENING_EVENTS
from gateway.present import json_response
from gateway.routing import Answer, Route
from gateway.schemas import EventAnswer
from gateway.signed import SignedMessage, read_signed


class PartnerEvent(RootModel[ScreeningChanged | PurchaseCancelled]):
    """One message, by its `type`."""

    root: ScreeningChanged | PurchaseCancelled = Field(discriminator="type")


async def post_screening_event(request: web.Request) -> web.Response:
    """Take an event: 202 once it is durable, and true for every replica from then on."""
    app = request.app
    message = await read_signed(request, app[POLICIES].screening_events_key)
    event = read_event(message)
    noted = Message(message.environment, message.webhook_id, message.body_sha256)
    if isinstance(event, PurchaseCancelled):
        outcome = await app[SCREENING_EVENTS].purchase_cancelled(noted, event)
    else:
        # Verified to be a number of seconds (Standard Webhooks 1.0, "Webhook Headers").
        signed_at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
        outcome = await app[SCREENING_EVENTS].screening_changed(noted, event, signed_at)
    app[METRICS].screening_events.labels(message.environment, event.type, outcome).inc()
    return json_response(EventAnswer(outcome=outcome), status=202)


def read_event(message: SignedMessage) -> ScreeningChanged | PurchaseCancelled:
    """Event in a message; raises BodyInvalidError."""
    kind = message.data.get("type")
    if kind == CANCELLATION_TYPE:
        return validate(PurchaseCancelled, message.data)
    if kind in SCREENING_TYPES:
        return validate(ScreeningChanged, message.data)
    known = ", ".join((*SCREENING_TYPES, CANCELLATION_TYPE))
    raise BodyInvalidError([FieldFault("type", f"must be one of {known}")])


ROUTES = (
    Route(
        method="POST",
        path="/tell/screening-events",
        handler=post_screening_event,
        tag="partner",
        summary="Tell of a change after the sale",
        security="webhook",
        body=PartnerEvent,
        answers=(Answer(202, "The change is durable, and listeners are told", EventAnswer),),
        errors=(
            BodySyntaxError,
            BodyInvalidError,
            BodyTooLargeError,
            BodyLateError,
            BodyTypeError,
            WebhookError,
            ScreeningConflictError,
            WebhookIdReusedError,
            RateLimitedError,
            DatabaseError,
        ),
    ),
)
