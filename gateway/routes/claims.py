"""A listener's device takes up a purchase, or lets it go."""

from __future__ import annotations

from aiohttp import web

from catalog.errors import DatabaseError, DeviceLimitError, TicketNotFoundError
from gateway.auth import listener_of, optional_listener_of
from gateway.bodies import parse_object, read_json, validate
from gateway.errors import (
    BodyInvalidError,
    BodyLateError,
    BodySyntaxError,
    BodyTooLargeError,
    BodyTypeError,
    ClaimRefusedError,
    ListenerRefusedError,
    RateLimitedError,
)
from gateway.keys import (
    CLAIMS,
    METRICS,
    POLICIES,
    PRESENTER,
    TICKETS,
    TOKENS,
    correlate,
)
from gateway.present import json_response
from gateway.routes.tickets import TICKET_PATH
from gateway.routing import Answer, Route
from gateway.schemas import ClaimAnswer, ClaimRequest
from gateway.throttling import check_throttle, client_of, throttle
from media.errors import TokenError


async def post_claim(request: web.Request) -> web.Response:
    """Take up a purchase by its claim code: a listener token and the ticket.

    With a bearer the ticket joins that listener's; without one a listener is made, or found again
    by the device nonce.
    """
    app = request.app
    await check_throttle(request, app[POLICIES].claim_guesses_ip, client_of(request))
    listener = optional_listener_of(request)
    body = await read_json(request)
    claim = validate(ClaimRequest, parse_object(body))
    correlation_id = await _purchase_of(request, claim.claim_code)
    correlate(request, correlation_id)
    listener = await app[CLAIMS].claim(correlation_id, claim.device_nonce, listener)
    app[METRICS].claims.inc()
    ticket = await app[TICKETS].get(listener, correlation_id)
    view = await app[PRESENTER].ticket(ticket)
    return json_response(
        ClaimAnswer(listener_token=app[TOKENS].listener_token(listener), ticket=view)
    )


async def delete_claim(request: web.Request) -> web.Response:
    """Let go of a ticket, so that another device may take it up."""
    correlation_id = request.match_info["correlation_id"]
    await request.app[CLAIMS].release(listener_of(request), correlation_id)
    correlate(request, correlation_id)
    return web.Response(status=204, headers={"Cache-Control": "no-store"})


async def _purchase_of(request: web.Request, claim_code: str) -> str:
    try:
        return request.app[TOKENS].read_claim_code(claim_code)
    except TokenError as error:
        # Only wrong codes count: everyone in an auditorium may share the cinema's address. Beyond
        # the limit even this guess is not answered.
        await throttle(request, request.app[POLICIES].claim_guesses_ip, client_of(request))
        raise ClaimRefusedError(error.reason) from error


ROUTES = (
    Route(
        method="POST",
        path="/tell/claims",
        handler=post_claim,
        tag="listener",
        summary="Take up a purchase on this device",
        security="listener-optional",
        body=ClaimRequest,
        answers=(Answer(200, "The listener holds the ticket", ClaimAnswer),),
        errors=(
            BodySyntaxError,
            BodyInvalidError,
            BodyTooLargeError,
            BodyLateError,
            BodyTypeError,
            ListenerRefusedError,
            ClaimRefusedError,
            TicketNotFoundError,
            DeviceLimitError,
            RateLimitedError,
            DatabaseError,
        ),
    ),
    Route(
        method="DELETE",
        path=f"{TICKET_PATH}/claim",
        handler=delete_claim,
        tag="listener",
        summary="Let go of a ticket",
        security="listener",
        answers=(Answer(204, "The listener holds it no longer"),),
        errors=(ListenerRefusedError, TicketNotFoundError, DatabaseError),
    ),
)
