"""The listener herself: she can have all that Tell knows of her erased."""

from __future__ import annotations

from aiohttp import web

from catalog.errors import DatabaseError
from gateway.auth import listener_of
from gateway.errors import ListenerRefusedError
from gateway.keys import ENTITLEMENTS, PRIVACY, TICKETS
from gateway.routing import Answer, Route


async def delete_listener(request: web.Request) -> web.Response:
    """Erase the listener, her claims, her last playback states, and tickets that are hers alone."""
    listener = listener_of(request)
    held = await request.app[TICKETS].of_listener(listener)
    await request.app[PRIVACY].forget_listener(listener)
    request.app[ENTITLEMENTS].forget(ticket.correlation_id for ticket in held)
    return web.Response(status=204, headers={"Cache-Control": "no-store"})


ROUTES = (
    Route(
        method="DELETE",
        path="/tell/listener",
        handler=delete_listener,
        tag="listener",
        summary="Erase the listener and her tickets",
        security="listener",
        answers=(Answer(204, "Nothing of her is kept; a second time is the same"),),
        errors=(ListenerRefusedError, DatabaseError),
    ),
)
