"""Signing what we tell Tell, after Standard Webhooks 1.0. Pure but for reading the secret file."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from pathlib import Path

from amc_clone.errors import SecretFileError

_PREFIX = "whsec_"
# Standard Webhooks 1.0, "Signature scheme": a symmetric secret has 24 to 64 bytes.
_SECRET_BYTES = range(24, 65)


def load_signing_secret(path: Path) -> bytes:
    """The secret that signs: the last of *path*, which has one `whsec_<base64>` a line.

    Raises SecretFileError, which names the line and never its content.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise SecretFileError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SecretFileError(f"{path}: is not a text of whsec_… lines") from error
    secrets = [
        _secret(path, number, line.strip())
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.strip().startswith("#")
    ]
    if not secrets:
        raise SecretFileError(f"{path}: has no secret; add a line whsec_<base64 of 32 bytes>")
    return secrets[-1]


def _secret(path: Path, number: int, line: str) -> bytes:
    try:
        secret = base64.b64decode(line.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        secret = b""
    if not line.startswith(_PREFIX) or len(secret) not in _SECRET_BYTES:
        raise SecretFileError(
            f"{path}: line {number} is not {_PREFIX}<base64 of 24 to 64 bytes>; mend or remove it"
        )
    return secret


def signed_headers(
    webhook_id: str, body: bytes, key_id: str, secret: bytes, now: datetime
) -> dict[str, str]:
    """The headers of one try at *now*.

    Standard Webhooks 1.0: `webhook-signature` is "v1," and the base64 of HMAC-SHA256 over
    `webhook-id.webhook-timestamp.body`, the timestamp in whole seconds since 1970.
    """
    timestamp = str(int(now.timestamp()))
    text = b".".join((webhook_id.encode(), timestamp.encode(), body))
    signature = base64.b64encode(hmac.new(secret, text, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
        "x-api-key": key_id,
    }
