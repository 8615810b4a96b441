"""The signed strings: claim codes, listener tokens, access tokens and stream tokens.

Signed by itsdangerous (HMAC-SHA256) with a salt for each purpose, so that a token of one purpose is
never taken for another. A token is `<key id>~<fields>~<signature>` in characters that need no
escaping in a URL's path (RFC 3986 2.3), and its fields are readable, not encrypted: they hold ids
alone. The key id says which key signed it; every key of the ring verifies, the last one signs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from itsdangerous import Signer

from media.errors import InvalidIdError, TokenExpiredError, TokenInvalidError
from media.ids import check_id, check_language

# "~" is unreserved in a URL and stands in no id and no base64url text.
_SEPARATOR = "~"
_KEY_ID = re.compile(r"[a-z0-9]{1,8}")
_MIN_SECRET_BYTES = 32
# Longer than any that we sign; a longer one is refused before any work is done on it.
_MAX_TOKEN_CHARS = 512

_CLAIM = "tell.claim-code.v1"
_LISTENER = "tell.listener-token.v1"
_ACCESS = "tell.access-token.v1"
_STREAM = "tell.stream-token.v1"
_PURPOSES = (_CLAIM, _LISTENER, _ACCESS, _STREAM)


class SigningKeyError(Exception):
    """The signing keys cannot be read; the message names the line and the mend, never the key."""

    code = "signing-keys"


@dataclass(frozen=True, slots=True)
class StreamClaims:
    """The claims in an access or a stream token: one version of a track, for one ticket.

    `ticket` is the purchase's correlation_id and `screening` the catalog's id of its screening, so
    that a cancelled one can be refused. The token is good before `expires_at`, in whole seconds.
    """

    ticket: str
    screening: int
    movie_id: str
    language: str
    version: str
    expires_at: datetime


class Keyring:
    """Signing keys by id. All verify; *current* signs, which is the last one if it is not named."""

    def __init__(self, keys: Sequence[tuple[str, bytes]], current: str | None = None) -> None:
        if not keys:
            raise SigningKeyError("there is no signing key; make one with `tell keys init`")
        ids = [key_id for key_id, _ in keys]
        if len(set(ids)) != len(ids):
            raise SigningKeyError(f"key ids repeat: {', '.join(ids)}; give each line its own id")
        for key_id, secret in keys:
            if _KEY_ID.fullmatch(key_id) is None:
                raise SigningKeyError(f"key id {key_id[:20]!r}: use 1 to 8 of a-z and 0-9")
            if len(secret) < _MIN_SECRET_BYTES:
                raise SigningKeyError(
                    f"key {key_id} has {len(secret)} bytes, at least {_MIN_SECRET_BYTES} are needed"
                )
        self.current = ids[-1] if current is None else current
        self.key_ids = tuple(ids)
        self._keys = tuple(keys)
        self._signers = {
            (key_id, salt): _signer(secret, salt) for key_id, secret in keys for salt in _PURPOSES
        }

    def with_keys(self, keys: Sequence[tuple[str, bytes]], current: str | None) -> Keyring:
        """This ring and *keys*; without *current* what signs here goes on signing.

        Raises SigningKeyError.
        """
        return Keyring((*self._keys, *keys), self.current if current is None else current)

    @classmethod
    def load(cls, path: Path) -> Keyring:
        """Read `<key id>:<base64url secret>` lines; the last one is current.

        Raises SigningKeyError.
        """
        return cls([(line.key_id, line.secret) for line in read_key_lines(path)])

    def sign(self, purpose: str, fields: Sequence[str]) -> str:
        """Sign *fields* with the current key."""
        value = _SEPARATOR.join((self.current, *fields))
        return self._signers[self.current, purpose].sign(value).decode("ascii")

    def verify(self, purpose: str, token: str, fields: int) -> list[str]:
        """Return the *fields* many fields of a token; raises TokenInvalidError."""
        if len(token) > _MAX_TOKEN_CHARS or not token.isascii():
            raise TokenInvalidError("longer than any token, or not ASCII")
        signer = self._signers.get((token.partition(_SEPARATOR)[0], purpose))
        if signer is None:
            raise TokenInvalidError("signed by a key that is not known")
        value, _, signature = token.rpartition(_SEPARATOR)
        # Compared as text, not by itsdangerous' unsign: base64 has several spellings of the same
        # bytes (RFC 4648 3.5), and a token has one.
        if not hmac.compare_digest(signer.get_signature(value), signature.encode("ascii")):
            raise TokenInvalidError("the signature does not fit")
        parts = value.split(_SEPARATOR)[1:]
        if len(parts) != fields:
            raise TokenInvalidError(f"{len(parts)} fields in place of {fields}")
        return parts


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A line of a key file; `words` is what stands behind the key."""

    number: int
    key_id: str
    secret: bytes = field(repr=False)
    words: tuple[str, ...] = ()


def read_key_lines(path: Path, *, with_words: bool = False) -> list[KeyLine]:
    """The `<key id>:<base64url secret>` lines of a file; raises SigningKeyError."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise SigningKeyError(
            f"{path}: cannot be read ({error.strerror}); make it with `tell keys init`"
        ) from error
    except UnicodeDecodeError as error:
        raise SigningKeyError(f"{path}: is not a file of signing keys") from error
    keys = []
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        key, *words = text.split() if with_words else [text]
        key_id, _, secret = key.partition(":")
        try:
            data = base64.b64decode(secret, altchars=b"-_", validate=True)
        except binascii.Error as error:
            raise SigningKeyError(
                f"{path}, line {number}: write <key id>:<base64url of 32 bytes>"
            ) from error
        keys.append(KeyLine(number, key_id, data, tuple(words)))
    return keys


def _signer(secret: bytes, salt: str) -> Signer:
    """The signer of a key and a purpose. Their own key is derived here, once, and not each time."""
    derived = Signer(
        secret, salt=salt.encode(), key_derivation="hmac", digest_method=hashlib.sha256
    ).derive_key()
    return Signer(
        derived,
        salt=salt.encode(),
        sep=_SEPARATOR,
        key_derivation="none",
        digest_method=hashlib.sha256,
    )


class Tokens:
    """Makes and reads every signed string of Tell.

    What opens sound is signed by *media*, which may be known to an edge; without it by *keyring*.
    """

    def __init__(self, keyring: Keyring, media: Keyring | None = None) -> None:
        self._keyring = keyring
        self._media = media or keyring

    def use_media(self, media: Keyring) -> None:
        """Sign and verify what opens sound by *media* from now on."""
        self._media = media

    def claim_code(self, correlation_id: str) -> str:
        """The buyer's secret for one purchase: always the same, so that a retry answers alike."""
        return self._keyring.sign(_CLAIM, [correlation_id])

    def read_claim_code(self, code: str) -> str:
        """Return the correlation_id; raises TokenInvalidError."""
        return self._keyring.verify(_CLAIM, code, fields=1)[0]

    def listener_token(self, listener_id: str) -> str:
        """The bearer token of a listener. It does not expire: it is all that she has."""
        return self._keyring.sign(_LISTENER, [listener_id])

    def read_listener_token(self, token: str) -> str:
        """Return the listener's id; raises TokenInvalidError."""
        return self._keyring.verify(_LISTENER, token, fields=1)[0]

    def access_token(self, claims: StreamClaims) -> str:
        """Opens the Multivariant Playlists, now.m3u8 and the MPD."""
        return self._media.sign(_ACCESS, _write_claims(claims))

    def read_access_token(self, token: str, now: datetime) -> StreamClaims:
        """Raises TokenInvalidError, or TokenExpiredError where *now* is past its time."""
        return _read_claims(self._media.verify(_ACCESS, token, fields=6), now)

    def stream_token(self, claims: StreamClaims) -> str:
        """Opens the Media Playlists and the files."""
        return self._media.sign(_STREAM, _write_claims(claims))

    def read_stream_token(self, token: str, now: datetime) -> StreamClaims:
        """Raises TokenInvalidError, or TokenExpiredError where *now* is past its time."""
        return _read_claims(self._media.verify(_STREAM, token, fields=6), now)


def _write_claims(claims: StreamClaims) -> list[str]:
    # Hexadecimal keeps the two numbers short: a token is part of every URL of a playlist.
    return [
        check_id("ticket", claims.ticket),
        f"{claims.screening:x}",
        check_id("movie_id", claims.movie_id),
        check_language(claims.language),
        check_id("version", claims.version),
        f"{int(claims.expires_at.timestamp()):x}",
    ]


def _read_claims(fields: list[str], now: datetime) -> StreamClaims:
    ticket, screening, movie_id, language, version, expires = fields
    try:
        claims = StreamClaims(
            ticket=check_id("ticket", ticket),
            screening=int(screening, 16),
            movie_id=check_id("movie_id", movie_id),
            language=check_language(language),
            version=check_id("version", version),
            expires_at=datetime.fromtimestamp(int(expires, 16), UTC),
        )
    except (ValueError, OverflowError, OSError, InvalidIdError) as error:
        raise TokenInvalidError("rightly signed, but its fields cannot be read") from error
    if now >= claims.expires_at:
        raise TokenExpiredError(claims.expires_at)
    return claims
