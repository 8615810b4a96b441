"""The key files: made once for their owner's eyes, and refused where others can read them.

`signing.keys` holds Tell's signing keys, `media.keys` those of sound's addresses
(gateway/media_keys.py), `master.key` seals the webhook secrets in the database, `ops.token` opens
the operator's pages (gateway/operator_token.py), and `webhook-<environment>.keys` is the partner's
copy of the webhook secrets: what it names is taken into the database at the start. Nothing here
ever overwrites a file.
"""

from __future__ import annotations

import base64
import os
import secrets
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from catalog.keys.sealing import MasterKeys, load_master_keys, new_master_key
from catalog.keys.webhooks import load_secret_file, new_secret
from gateway.errors import SecretsError
from gateway.media_keys import media_path, media_ring, media_text, new_key, read_media_keys
from gateway.operator_token import new_operator_text, operator_path, read_operator_token
from gateway.settings import GatewaySettings, SecretsSettings
from media.tokens import Keyring

_SECRET_BYTES = 32
_SIGNING_HEAD = (
    "# Tell's signing keys, one a line: <key id>:<base64url secret>. The last one signs.\n"
)
_MASTER_HEAD = (
    "# Tell's master key: it opens the webhook secrets in the database. Keep a copy of it apart.\n"
    "# One a line, <name>:<base64url of 32 bytes>. The last one seals.\n"
)
_WEBHOOK_HEAD = (
    "# Standard Webhooks secrets shared with AMC-clone, one a line. The last one signs.\n"
)


@dataclass(frozen=True, slots=True)
class Secrets:
    """All that must not be shown: signing keys, the master key, and secrets to take in.

    `media` signs the addresses of sound and `keyring` all else. `webhooks` has the secrets of each
    environment's file, oldest first, where there is one. Without an `operator` token her pages are
    closed.
    """

    keyring: Keyring
    media: Keyring
    master: MasterKeys
    webhooks: Mapping[str, tuple[bytes, ...]] = field(repr=False)
    operator: str | None = field(default=None, repr=False)


def signing_path(folder: Path) -> Path:
    """Path of the signing keys."""
    return folder / "signing.keys"


def master_path(settings: SecretsSettings) -> Path:
    """Path of the master key."""
    return Path(settings.master_key) if settings.master_key else Path(settings.dir) / "master.key"


def webhook_path(folder: Path, environment: str) -> Path:
    """Path of the partner's copy of the secrets of one AMC-clone environment."""
    return folder / f"webhook-{environment}.keys"


def load_secrets(settings: GatewaySettings) -> Secrets:
    """Read the key files that the settings ask for.

    Raises SecretsError, SecretFileError, MasterKeyError, SigningKeyError.
    """
    folder = Path(settings.secrets.dir)
    signing = signing_path(folder)
    check_private(signing, mend="make it with `tell keys init`")
    webhooks = {}
    for environment in settings.partners:
        path = webhook_path(folder, environment)
        if path.exists():
            webhooks[environment] = load_private_secrets(path)
    media = media_path(folder)
    if media.exists():
        check_private(media, mend="make it with `tell keys rotate media`")
    operator = operator_path(settings.secrets)
    if operator.exists():
        check_private(operator, mend="make it with `tell keys init`")
    keyring = Keyring.load(signing)
    return Secrets(
        keyring=keyring,
        media=media_ring(keyring, read_media_keys(media)),
        master=load_master(settings.secrets),
        webhooks=webhooks,
        operator=read_operator_token(operator) if operator.exists() else None,
    )


def load_master(settings: SecretsSettings) -> MasterKeys:
    """Read the master key; raises SecretsError, MasterKeyError."""
    path = master_path(settings)
    check_private(path, mend="make it with `tell keys init`")
    return load_master_keys(path)


def load_private_secrets(path: Path) -> tuple[bytes, ...]:
    """Webhook secrets of a file that only its owner may open.

    Raises SecretsError, SecretFileError.
    """
    check_private(path, mend="name a file of whsec_ lines")
    return load_secret_file(path)


def check_private(path: Path, mend: str, environ: Mapping[str, str] = os.environ) -> None:
    """Raise SecretsError where *path* is missing or anyone but its owner may open it."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise SecretsError(f"{path}: there is no such file; {mend}") from error
    except OSError as error:
        raise SecretsError(f"{path}: cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise SecretsError(f"{path}: is not a file")
    others = stat.S_IRWXG | stat.S_IRWXO
    given = environ.get("CREDENTIALS_DIRECTORY")
    if given and path.parent == Path(given) and not mode & (stat.S_IWGRP | stat.S_IXGRP):
        # The folder is this unit's alone. systemd may own the file and let this user read it by an
        # access list, whose mask stands where the group's rights do (systemd.exec(5), acl(5)).
        others = stat.S_IRWXO
    if mode & others:
        raise SecretsError(
            f"{path}: others can open it (mode {stat.S_IMODE(mode):04o}); run `chmod 600 {path}`"
        )


def init_keys(settings: SecretsSettings, environments: Iterable[str]) -> list[tuple[Path, bool]]:
    """Make what is missing of the key files; each path comes with whether it was made now."""
    results = []
    folder = Path(settings.dir)
    signing = signing_path(folder)
    wanted = [(signing, new_signing_text), (master_path(settings), new_master_text)]
    media = media_path(folder)
    if media.exists() or not signing.exists():
        # Else running gateways sign by that: `tell keys rotate media` adds one that waits first.
        wanted.append((media, new_media_text))
    wanted.append((operator_path(settings), new_operator_text))
    wanted += [(webhook_path(folder, name), new_webhook_text) for name in environments]
    for path, text in wanted:
        if path.exists():
            results.append((path, False))
        else:
            write_private(path, text())
            results.append((path, True))
    return results


def new_signing_text() -> str:
    """A new file of signing keys, with the first key in it."""
    secret = base64.urlsafe_b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    return f"{_SIGNING_HEAD}k1:{secret}\n"


def new_media_text() -> str:
    """A new file of media keys, with the first key in it."""
    return media_text([new_key([], waits=False)])


def new_master_text() -> str:
    """A new file of master keys, with the first key in it."""
    return f"{_MASTER_HEAD}m1:{new_master_key()}\n"


def new_webhook_text() -> str:
    """A new file of webhook secrets with one in it (Standard Webhooks 1.0, "Signature scheme")."""
    return webhook_text(new_secret())


def webhook_text(secret: str) -> str:
    """A partner's file with this one secret."""
    return f"{_WEBHOOK_HEAD}{secret}\n"


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may open; raises SecretsError where it exists."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # O_EXCL: of two that make it at once only one does, and no key is ever lost.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise SecretsError(
            f"{path}: is there already and is never overwritten; move it away first"
        ) from error
    except OSError as error:
        raise SecretsError(f"{path}: cannot be made: {error.strerror}") from error
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
