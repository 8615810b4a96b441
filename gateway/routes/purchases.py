"""What AMC-clone tells Tell: a ticket was sold."""

from __future__ import annotations

from aiohttp import web

from catalog.errors import DatabaseError, IntakeFullError, PurchaseConflictError, WebhookError
from catalog.notices import PurchaseNotice, unknown_fields
from catalog.webhooks import verify_webhook
from gateway.bodies import parse_object, read_body, validate
from gateway.errors import BodyInvalidError, BodySyntaxError, BodyTooLargeError, BodyTypeError
from gateway.keys import (
    CLOCK,
    INTAKE,
    METRICS,
    PUBLIC_URL,
    SECRETS,
    SETTINGS,
    TOKENS,
    correlate,
)
from gateway.present import json_response
from gateway.routing import Answer, Route
from gateway.schemas import PurchaseAnswer


async def post_purchase(request: web.Request) -> web.Response:
    """Take a purchase: 202 once it is durable.

    The signature is over the raw body, so it is checked before anything in the body is believed.
    """
    app, limits = request.app, request.app[SETTINGS].purchases
    body = await read_body(request, limits.max_body_bytes)
    verified = verify_webhook(
        app[SECRETS].webhooks, request.headers, body, app[CLOCK](), limits.signature_tolerance
    )
    data = parse_object(body)
    notice = validate(PurchaseNotice, data)
    app[METRICS].unknown_fields.labels(verified.environment).inc(unknown_fields(data))
    correlation_id = await app[INTAKE].accept(verified.environment, notice, verified.webhook_id)
    correlate(request, correlation_id)
    app[METRICS].purchases.labels(verified.environment).inc()
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
            BodyTypeError,
            WebhookError,
            PurchaseConflictError,
            IntakeFullError,
            DatabaseError,
        ),
    ),
)
