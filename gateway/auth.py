"""Who is at the door: the listener, by her bearer token."""

from __future__ import annotations

from aiohttp import web

from gateway.bearers import listener_by
from gateway.errors import ListenerRefusedError
from gateway.keys import TOKENS


def listener_of(request: web.Request) -> str:
    """Id of the listener; raises ListenerRefusedError."""
    values = request.headers.getall("Authorization", [])
    if not values:
        raise ListenerRefusedError("there is no Authorization header")
    if len(values) > 1:
        raise ListenerRefusedError("there are several Authorization headers")
    return listener_by(values[0], request.app[TOKENS])


def optional_listener_of(request: web.Request) -> str | None:
    """Id of the listener, None without a bearer; raises ListenerRefusedError for a wrong one."""
    return listener_of(request) if "Authorization" in request.headers else None
