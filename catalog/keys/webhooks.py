"""Verifying the partner's signature: Standard Webhooks 1.0, symmetric (`v1`).

Pure: time is an argument. Whatever the headers and the body hold, a refusal is a WebhookError.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from catalog.errors import (
    SecretFileError,
    WebhookKeyError,
    WebhookSignatureError,
    WebhookTimestampError,
)

_SECRET_PREFIX = "whsec_"  # noqa: S105 - the published prefix of every secret, not one of them
# Standard Webhooks, "Signature scheme": between 24 bytes (192 bits) and 64 bytes (512 bits).
_SECRET_BYTES = range(24, 65)
_NEW_SECRET_BYTES = 32
# Standard Webhooks, "Webhook Headers": webhook-timestamp is a Unix timestamp in seconds.
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
# As many as can be stored with a purchase.
_MAX_ID_CHARS = 255
# A rotation needs two or three; more only makes us work for a stranger.
_MAX_SIGNATURES = 16


@dataclass(frozen=True, slots=True)
class WebhookSecret:
    """One secret, with the name that may be shown."""

    name: str
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class WebhookKeySet:
    """The secrets of one AMC-clone environment, named by `key_id`. All of them verify."""

    environment: str
    key_id: str
    secrets: tuple[WebhookSecret, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """Who signed, with which key, and the id of the message (the same at every try)."""

    environment: str
    webhook_id: str
    key_name: str


def verify_webhook(
    key_sets: Mapping[str, WebhookKeySet],
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    tolerance: timedelta,
) -> Verified:
    """Who sent *body*, by its signature.

    *key_sets* is keyed by key id; *headers* is looked up by lower-case names. Raises
    WebhookKeyError, WebhookTimestampError (further than *tolerance* from *now*, either way) or
    WebhookSignatureError.
    """
    key_id = headers.get("x-api-key")
    if key_id is None:
        raise WebhookKeyError("the x-api-key header is missing")
    key_set = key_sets.get(key_id)
    if key_set is None:
        raise WebhookKeyError("x-api-key names no key that we know")
    webhook_id = _header(headers, "webhook-id")
    if not (0 < len(webhook_id) <= _MAX_ID_CHARS and webhook_id.isprintable()):
        raise WebhookSignatureError("webhook-id is empty, too long or not printable")
    timestamp = _header(headers, "webhook-timestamp")
    if _TIMESTAMP.fullmatch(timestamp) is None:
        raise WebhookSignatureError("webhook-timestamp is not a number of seconds")
    # In numbers, not datetimes: a hostile timestamp may lie outside the years that those hold.
    if abs(now.timestamp() - int(timestamp)) > tolerance.total_seconds():
        raise WebhookTimestampError(f"webhook-timestamp {timestamp} is too far from the clock")
    offered = _offered_signatures(_header(headers, "webhook-signature"))
    for secret in key_set.secrets:
        expected = _digest(secret.value, webhook_id, timestamp, body)
        for signature in offered:
            if hmac.compare_digest(expected, signature):
                return Verified(key_set.environment, webhook_id, secret.name)
    raise WebhookSignatureError("no signature fits")


def sign_webhook(secret: bytes, webhook_id: str, timestamp_s: int, body: bytes) -> str:
    """One value for the webhook-signature header: `v1,` and the base64 of the HMAC-SHA256."""
    digest = _digest(secret, webhook_id, str(timestamp_s), body)
    return f"v1,{base64.b64encode(digest).decode('ascii')}"


def new_secret() -> str:
    """A fresh secret as it stands in a file: `whsec_` and the base64 of 32 random bytes."""
    random = secrets.token_bytes(_NEW_SECRET_BYTES)
    return _SECRET_PREFIX + base64.b64encode(random).decode("ascii")


def read_secret(text: str) -> bytes:
    """Bytes of a `whsec_` secret; raises ValueError, which does not show the secret."""
    if not text.startswith(_SECRET_PREFIX):
        raise ValueError(f"does not begin with {_SECRET_PREFIX}")
    try:
        secret = base64.b64decode(text.removeprefix(_SECRET_PREFIX), validate=True)
    except ValueError:  # binascii.Error, and text that is not ASCII
        # `from None`: the cause would carry the secret's text into a traceback.
        raise ValueError(f"is not base64 after {_SECRET_PREFIX}") from None
    if len(secret) not in _SECRET_BYTES:
        raise ValueError("does not hold 24 to 64 bytes (Standard Webhooks)")
    return secret


def load_secret_file(path: Path) -> tuple[bytes, ...]:
    """Secrets of a file with one on each line, oldest first; `#` begins a comment.

    Raises SecretFileError that names the file and the line, and shows neither.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SecretFileError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise SecretFileError(f"{path}: is not UTF-8 text") from None
    found: list[bytes] = []
    for number, line in enumerate(lines, start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        try:
            found.append(read_secret(text))
        except ValueError as error:
            raise SecretFileError(f"{path}: the secret in line {number} {error}") from None
    if not found:
        raise SecretFileError(f"{path}: holds no secret; make one with `tell keys new`")
    return tuple(found)


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if value is None:
        raise WebhookSignatureError(f"the {name} header is missing")
    # A server hands over bytes that are no text as lone surrogates, which cannot be encoded.
    if not value.isascii():
        raise WebhookSignatureError(f"the {name} header is not ASCII")
    return value


def _offered_signatures(header: str) -> list[bytes]:
    """Digests in a webhook-signature header: `v1,<base64>` parts with spaces between them.

    Other versions (`v1a` is the asymmetric one) and what cannot be decoded are passed over, as the
    specification asks, so that the sender may add some.
    """
    digests: list[bytes] = []
    for part in header.split(" ")[:_MAX_SIGNATURES]:
        version, _, text = part.partition(",")
        if version == "v1":
            try:
                digests.append(base64.b64decode(text, validate=True))
            except binascii.Error:
                continue
    return digests


def _digest(secret: bytes, webhook_id: str, timestamp: str, body: bytes) -> bytes:
    # Standard Webhooks, "Signature scheme": the signed content is msg_id.timestamp.payload.
    content = f"{webhook_id}.{timestamp}.".encode("ascii") + body
    return hmac.new(secret, content, hashlib.sha256).digest()
