"""What AMC-clone tells Tell: a ticket was sold."""

from __future__ import annotations

from aiohttp import web

from catalog.errors import (
    DatabaseError,
    IntakeFullError,
    PurchaseConflictError,
    WebhookError,
    WebhookIdReusedError,
)
from catalog.purchases.intake import Delivery
from catalog.purchases.notices import PurchaseNotice, unknown_fields
from gateway.bodies import validate
from gateway.errors import (
    BodyInvalidError,
    BodyLateError,
    BodySyntaxError,
    BodyTooLargeError,
    BodyTypeError,
    RateLimitedError,
)
from gateway.keys import INTAKE, METRICS, POLICIES, PUBLIC_URL, TOKENS, correlate
from gateway.present import json_response
from gateway.routing import Answer, Route
from gateway.schemas import PurchaseAnswer
from gateway.signed import read_signed


async def post_purchase(request: web.Request) -> web.Response:
    """Take a purchase: 202 once it is durable."""
    app = request.app
    message = await read_signed(request, app[POLICIES].purchases_key)
    notice = validate(PurchaseNotice, message.data)
    app[METRICS].unknown_fields.labels(message.environment).inc(unknown_fields(message.data))
    delivery = Delivery(message.webhook_id, message.body_sha256, message.traceparent)
    correlation_id = await app[INTAKE].accept(message.environment, notice, delivery)
    correlate(request, correlation_id)
    app[METRICS].purchases.labels(message.environment).inc()
    listen_url = app[PUBLIC_URL].listen_url(app[TOKENS].claim_code(correlation_id))
    return json_response(
        PurchaseAnswer(correlation_id=correlation_id, listen_url=listen_url), status=202
    )


ROUTES = (
    Route(
        method="POST",
        path="/tell/purchase",
        handler=post_purchase,
        tag="partner",
        summary="Tell of a sold ticket",
        security="webhook",
        body=PurchaseNotice,
        answers=(Answer(202, "The purchase is durable", PurchaseAnswer),),
        errors=(
            BodySyntaxError,
            BodyInvalidError,
            BodyTooLargeError,
            BodyLateError,
            BodyTypeError,
            WebhookError,
            PurchaseConflictError,
            WebhookIdReusedError,
            RateLimitedError,
            IntakeFullError,
            DatabaseError,
        ),
    ),
)
