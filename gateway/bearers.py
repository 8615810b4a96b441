"""Whose bearer an Authorization header holds. Pure but for the keys that it is verified by."""

from __future__ import annotations

import re

from gateway.errors import ListenerRefusedError
from media.errors import TokenError
from media.tokens import Tokens

# RFC 6750 2.1; the scheme's case does not matter (RFC 9110 11.1). "~" is a token68 character.
_BEARER = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/-]+=*)")


def listener_by(authorization: str, tokens: Tokens) -> str:
    """Id of the listener whose header this is; raises ListenerRefusedError."""
    match = _BEARER.fullmatch(authorization.strip())
    if match is None:
        raise ListenerRefusedError("the Authorization header is not of the form Bearer <token>")
    try:
        return tokens.read_listener_token(match[1])
    except TokenError as error:
        raise ListenerRefusedError(error.reason) from error
