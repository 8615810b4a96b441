"""The operator's token, and the sessions that it opens. Pure but for chance.

A session is a signed cookie and nothing in a database, so that every replica knows it. Its key
comes from the token: with a new token all sessions have ended. Which were ended one by one the
database knows (gateway/ops/door.py).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.errors import OperatorRefusedError

COOKIE = "tell-ops"
NO_SESSION = "there is no session"
ENDED = "the session was ended"
# An evening, with the time before and after it.
LIFETIME = timedelta(hours=12)
_FORM = "o1"
_NONCE_BYTES = 12
_MAX_CHARS = 200


@dataclass(frozen=True, slots=True)
class Session:
    """A session that was found good until `expires_at`. Its `name` opens nothing."""

    name: str
    expires_at: datetime
    # What the forms of this session carry, so that no other page can send one.
    form_token: str


class Operator:
    """Says who is the operator. *token* is what she has to give."""

    def __init__(self, token: str, clock: Callable[[], datetime]) -> None:
        self._digest = _digest(token)
        self._key = hmac.digest(token.encode(), b"tell operator session 1", "sha256")
        self._clock = clock

    def admit(self, token: str) -> str:
        """The cookie of a new session; raises OperatorRefusedError for a wrong token."""
        # Digests: so the time that it takes tells nothing of the length either.
        if not hmac.compare_digest(_digest(token), self._digest):
            raise OperatorRefusedError("the token is not right")
        expires = int((self._clock() + LIFETIME).timestamp())
        fields = f"{expires}.{secrets.token_urlsafe(_NONCE_BYTES)}"
        return f"{_FORM}~{fields}~{self._sign('session', fields)}"

    def session(self, cookie: str | None) -> Session:
        """The session of a cookie; raises OperatorRefusedError."""
        if cookie is None:
            raise OperatorRefusedError(NO_SESSION)
        if len(cookie) > _MAX_CHARS or not cookie.isascii():
            raise OperatorRefusedError("the cookie is none of ours")
        form, _, rest = cookie.partition("~")
        fields, _, signature = rest.partition("~")
        if form != _FORM or not hmac.compare_digest(self._sign("session", fields), signature):
            raise OperatorRefusedError("the cookie is none of ours")
        expires_at = datetime.fromtimestamp(int(fields.partition(".")[0]), UTC)
        if expires_at <= self._clock():
            raise OperatorRefusedError("the session is over")
        name = hashlib.sha256(fields.encode()).hexdigest()
        return Session(name, expires_at, self._sign("form", fields))

    def check_form(self, session: Session, token: str) -> None:
        """Raise OperatorRefusedError unless *token* is that of the session's own pages."""
        if not hmac.compare_digest(session.form_token.encode(), token.encode()):
            raise OperatorRefusedError("the form is of another session")

    def _sign(self, purpose: str, fields: str) -> str:
        return hmac.new(self._key, f"{purpose}:{fields}".encode(), "sha256").hexdigest()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
