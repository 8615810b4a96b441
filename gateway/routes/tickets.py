"""The listener's tickets."""

from __future__ import annotations

from aiohttp import web

from catalog.errors import DatabaseError, TicketNotFoundError
from gateway.auth import listener_of
from gateway.errors import ListenerRefusedError
from gateway.keys import PRESENTER, TICKETS, correlate
from gateway.present import json_response
from gateway.routing import Answer, Route
from gateway.schemas import TicketList, TicketView

TICKET_PATH = "/tell/tickets/{correlation_id:[a-z2-7]{20}}"


async def get_tickets(request: web.Request) -> web.Response:
    """All tickets of the listener."""
    tickets = await request.app[TICKETS].of_listener(listener_of(request))
    return json_response(await request.app[PRESENTER].tickets(tickets))


async def get_ticket(request: web.Request) -> web.Response:
    """One ticket of the listener."""
    listener, correlation_id = listener_of(request), request.match_info["correlation_id"]
    ticket = await request.app[TICKETS].get(listener, correlation_id)
    correlate(request, correlation_id)
    return json_response(await request.app[PRESENTER].ticket(ticket))


ROUTES = (
    Route(
        method="GET",
        path="/tell/tickets",
        handler=get_tickets,
        tag="listener",
        summary="All tickets of the listener",
        security="listener",
        answers=(Answer(200, "Her tickets, by movie_start", TicketList),),
        errors=(ListenerRefusedError, DatabaseError),
    ),
    Route(
        method="GET",
        path=TICKET_PATH,
        handler=get_ticket,
        tag="listener",
        summary="One ticket of the listener",
        security="listener",
        answers=(Answer(200, "The ticket as it stands now", TicketView),),
        errors=(ListenerRefusedError, TicketNotFoundError, DatabaseError),
    ),
)
