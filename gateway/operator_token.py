"""The file of the operator's token: one line that opens /ops."""

from __future__ import annotations

import secrets
from pathlib import Path

from gateway.errors import SecretsError
from gateway.settings import SecretsSettings

_BYTES = 32
# Fewer could be guessed by somebody who has the time.
_FEWEST_CHARS = 20
_HEAD = "# The operator's token: it opens /ops. A new one ends all sessions.\n"


def operator_path(settings: SecretsSettings) -> Path:
    """Path of the operator's token."""
    return Path(settings.ops_token) if settings.ops_token else Path(settings.dir) / "ops.token"


def new_operator_text() -> str:
    """A new file with an operator's token."""
    return f"{_HEAD}{secrets.token_urlsafe(_BYTES)}\n"


def read_operator_token(path: Path) -> str:
    """The token of a file; raises SecretsError, which names the file and never what is in it."""
    try:
        lines = path.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        raise SecretsError(f"{path}: cannot be read as text") from None
    found = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if len(found) != 1 or len(found[0]) < _FEWEST_CHARS:
        raise SecretsError(
            f"{path}: holds no single token of {_FEWEST_CHARS} characters or more; move it away "
            "and run `tell keys init`"
        )
    return found[0]
