"""The random ids that Tell gives out. They name things and, but for a listener's, open nothing."""

from __future__ import annotations

import base64
import secrets

from catalog.store.schema import CORRELATION_ID_CHARS, LISTENER_ID_CHARS


def new_correlation_id() -> str:
    """20 characters of lower-case base32 (RFC 4648 6): 100 random bits, easy to read out."""
    return _random_base32(CORRELATION_ID_CHARS)


def new_listener_id() -> str:
    """26 characters of lower-case base32: 130 random bits, never guessed."""
    return _random_base32(LISTENER_ID_CHARS)


def _random_base32(chars: int) -> str:
    # Eight characters for each five bytes.
    data = secrets.token_bytes(-(-chars // 8) * 5)
    return base64.b32encode(data).decode("ascii")[:chars].lower()
