"""Sealing secrets for the database: AES-256-GCM under a master key that the database never sees.

Who has a copy of the database alone has no secret of it. What a secret is for is sealed in with it
as associated data, so that a row cannot be moved to another environment or name.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from catalog.errors import MasterKeyError

_KEY_BYTES = 32
# NIST SP 800-38D 8.2.2: a random 96-bit nonce, for far fewer than 2^32 messages under one key.
_NONCE_BYTES = 12
_LINE = re.compile(r"([a-z0-9]{1,8}):([A-Za-z0-9_-]+={0,2})")
# Beside environment and name, so that no other use of the key is ever mistaken for this one.
_PURPOSE = b"tell webhook key 1"


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """Keys by their names, oldest first: the last one seals, all of them open."""

    keys: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        if not self.keys or any(len(key) != _KEY_BYTES for key in self.keys.values()):
            raise ValueError(f"at least one key of {_KEY_BYTES} bytes is needed")

    def seal(self, secret: bytes, environment: str, name: str) -> str:
        """`<key name>.<base64url>` of nonce, ciphertext and tag."""
        key_name, key = list(self.keys.items())[-1]
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + AESGCM(key).encrypt(nonce, secret, _associated(environment, name))
        return f"{key_name}.{base64.urlsafe_b64encode(sealed).decode('ascii')}"

    def open(self, sealed: str, environment: str, name: str) -> bytes:
        """The secret; raises MasterKeyError where it was sealed by another key, or for another use.

        The message names the row and shows nothing of it.
        """
        key_name, _, text = sealed.partition(".")
        key = self.keys.get(key_name)
        if key is None:
            raise MasterKeyError(
                f"the webhook key {name} of {environment} was sealed with the master key "
                f"{key_name[:8]!r}, which is not in the file; put it back"
            )
        try:
            data = base64.b64decode(text, altchars=b"-_", validate=True)
            return AESGCM(key).decrypt(
                data[:_NONCE_BYTES], data[_NONCE_BYTES:], _associated(environment, name)
            )
        except (binascii.Error, ValueError, InvalidTag):
            # `from None`: the cause says nothing more, and a traceback could show the text.
            raise MasterKeyError(
                f"the webhook key {name} of {environment} is not opened by the master key; "
                "use the master key that sealed it, or make a new webhook key"
            ) from None


def load_master_keys(path: Path) -> MasterKeys:
    """Keys of a file with one `<name>:<base64url of 32 bytes>` on each line, oldest first.

    `#` begins a comment. Raises MasterKeyError that names the file and the line, and shows neither.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise MasterKeyError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise MasterKeyError(f"{path}: is not a text of keys") from None
    keys: dict[str, bytes] = {}
    for number, line in enumerate(lines, start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        match = _LINE.fullmatch(text)
        key = _decoded(match[2]) if match else b""
        if match is None or len(key) != _KEY_BYTES or match[1] in keys:
            raise MasterKeyError(
                f"{path}: line {number} is not <name>:<base64url of {_KEY_BYTES} bytes> with a "
                "name of its own"
            )
        keys[match[1]] = key
    if not keys:
        raise MasterKeyError(f"{path}: holds no key; make one with `tell keys init`")
    return MasterKeys(keys)


def new_master_key() -> str:
    """A fresh key as it stands in a file, after its name and a colon."""
    return base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, altchars=b"-_", validate=True)
    except binascii.Error:
        return b""


def _associated(environment: str, name: str) -> bytes:
    # Neither may hold a NUL: environments are of a-z, 0-9, _ and -, names of our own making.
    return b"\0".join((_PURPOSE, environment.encode(), name.encode()))
