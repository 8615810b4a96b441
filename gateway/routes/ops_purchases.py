"""Parked purchases: the operator has them looked up again, as `tell purchases retry` does."""

from __future__ import annotations

from aiohttp import web

from catalog.errors import (
    DatabaseError,
    NothingToRetryError,
    PurchaseAmbiguousError,
    PurchaseNotFoundError,
)
from catalog.purchases.parking import Parking
from gateway.keys import CLOCK, DATABASE, ENRICHMENT, EVENING, correlate
from gateway.ops.answers import see_other
from gateway.ops.door import form_of
from gateway.ops.forms import SessionForm
from gateway.routes.ops import FORM_ERRORS
from gateway.routing import Answer, Route


async def post_retry(request: web.Request) -> web.Response:
    """Have one purchase looked up again, now."""
    await form_of(request, SessionForm)
    correlation_id = request.match_info["correlation_id"]
    correlate(request, correlation_id)
    return _answer(request, await _parking(request).retry(correlation_id))


async def post_retry_all(request: web.Request) -> web.Response:
    """Have every parked purchase looked up again, now."""
    await form_of(request, SessionForm)
    return _answer(request, await _parking(request).retry_all())


def _parking(request: web.Request) -> Parking:
    return Parking(request.app[DATABASE], request.app[CLOCK])


def _answer(request: web.Request, retried: list[str]) -> web.Response:
    request.app[ENRICHMENT].kick()
    request.app[EVENING].forget()
    return see_other(f"/ops?done={'retried' if retried else 'nothing'}")


ROUTES = (
    Route(
        method="POST",
        path="/ops/purchases/retry",
        handler=post_retry_all,
        tag="operator",
        summary="Look up every parked purchase again",
        security="operator",
        form=SessionForm,
        pages=True,
        answers=(Answer(303, "To /ops"),),
        errors=(*FORM_ERRORS, DatabaseError),
    ),
    Route(
        method="POST",
        path="/ops/purchases/{correlation_id:[a-z2-7]{20}}/retry",
        handler=post_retry,
        tag="operator",
        summary="Look up a purchase again",
        security="operator",
        form=SessionForm,
        pages=True,
        answers=(Answer(303, "To /ops"),),
        errors=(
            *FORM_ERRORS,
            PurchaseNotFoundError,
            PurchaseAmbiguousError,
            NothingToRetryError,
            DatabaseError,
        ),
    ),
)
