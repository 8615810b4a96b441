"""Who is at the door: the listener, by her bearer token."""

from __future__ import annotations

import re

from aiohttp import web

from gateway.errors import ListenerRefusedError
from gateway.keys import TOKENS
from media.errors import TokenError

# RFC 6750 2.1; the scheme's case does not matter (RFC 9110 11.1). "~" is a token68 character.
_BEARER = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/-]+=*)")


def listener_of(request: web.Request) -> str:
    """Id of the listener; raises ListenerRefusedError."""
    values = request.headers.getall("Authorization", [])
    if not values:
        raise ListenerRefusedError("there is no Authorization header")
    if len(values) > 1:
        raise ListenerRefusedError("there are several Authorization headers")
    match = _BEARER.fullmatch(values[0].strip())
    if match is None:
        raise ListenerRefusedError("the Authorization header is not of the form Bearer <token>")
    try:
        return request.app[TOKENS].read_listener_token(match[1])
    except TokenError as error:
        raise ListenerRefusedError(error.reason) from error


def optional_listener_of(request: web.Request) -> str | None:
    """Id of the listener, None without a bearer; raises ListenerRefusedError for a wrong one."""
    return listener_of(request) if "Authorization" in request.headers else None
