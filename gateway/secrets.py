"""The key files: made once for their owner's eyes, and refused where others can read them.

`signing.keys` holds Tell's signing keys, `webhook-<environment>.keys` the Standard Webhooks secrets
that Tell and one AMC-clone environment share. Nothing here ever overwrites a file.
"""

from __future__ import annotations

import base64
import os
import secrets
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from catalog.webhooks import WebhookKeySet, load_secret_file, new_secret
from gateway.errors import SecretsError
from gateway.settings import GatewaySettings
from media.tokens import Keyring

_SECRET_BYTES = 32
_SIGNING_HEAD = (
    "# Tell's signing keys, one a line: <key id>:<base64url secret>. The last one signs.\n"
)
_WEBHOOK_HEAD = (
    "# Standard Webhooks secrets shared with AMC-clone, one a line. The last one signs.\n"
)


@dataclass(frozen=True, slots=True)
class Secrets:
    """All that must not be shown: signing keys, and key sets by the key id that names them."""

    keyring: Keyring
    webhooks: Mapping[str, WebhookKeySet]


def signing_path(folder: Path) -> Path:
    """Path of the signing keys."""
    return folder / "signing.keys"


def webhook_path(folder: Path, environment: str) -> Path:
    """Path of the secrets shared with one AMC-clone environment."""
    return folder / f"webhook-{environment}.keys"


def load_secrets(settings: GatewaySettings) -> Secrets:
    """Read the key files that the settings ask for.

    Raises SecretsError, SecretFileError, SigningKeyError.
    """
    folder = Path(settings.secrets.dir)
    signing = signing_path(folder)
    check_private(signing, mend="make it with `tell keys init`")
    key_sets = {}
    for environment, partner in settings.partners.items():
        path = webhook_path(folder, environment)
        check_private(path, mend=f"make it with `tell keys new {environment}`")
        key_sets[partner.key_id] = WebhookKeySet(
            environment=environment, key_id=partner.key_id, secrets=load_secret_file(path)
        )
    return Secrets(keyring=Keyring.load(signing), webhooks=key_sets)


def check_private(path: Path, mend: str) -> None:
    """Raise SecretsError where *path* is missing or anyone but its owner may open it."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise SecretsError(f"{path}: there is no such file; {mend}") from error
    except OSError as error:
        raise SecretsError(f"{path}: cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise SecretsError(f"{path}: is not a file")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SecretsError(
            f"{path}: others can open it (mode {stat.S_IMODE(mode):04o}); run `chmod 600 {path}`"
        )


def init_keys(folder: Path, environments: Iterable[str]) -> list[tuple[Path, bool]]:
    """Make what is missing of the key files; each path comes with whether it was made now."""
    results = []
    wanted = [(signing_path(folder), new_signing_text)]
    wanted += [(webhook_path(folder, name), new_webhook_text) for name in environments]
    for path, text in wanted:
        if path.exists():
            results.append((path, False))
        else:
            write_private(path, text())
            results.append((path, True))
    return results


def new_webhook_key(folder: Path, environment: str) -> Path:
    """Make the secrets file of an environment; raises SecretsError where there is one."""
    path = webhook_path(folder, environment)
    write_private(path, new_webhook_text())
    return path


def new_signing_text() -> str:
    """A new file of signing keys, with the first key in it."""
    secret = base64.urlsafe_b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    return f"{_SIGNING_HEAD}k1:{secret}\n"


def new_webhook_text() -> str:
    """A new file of webhook secrets with one in it (Standard Webhooks 1.0, "Signature scheme")."""
    return f"{_WEBHOOK_HEAD}{new_secret()}\n"


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
