"""nginx as a peer: its own signed links (deploy/nginx/bench.conf) on the files of a track."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.services.nginx import running_nginx

_VALID_S = 7200


@dataclass(frozen=True, slots=True)
class Peer:
    """A running nginx; `pid` is its master's."""

    port: int
    pid: int
    secret: str

    def path(self, ticket: str, name: str) -> str:
        """A signed path for a ticket."""
        until = int(time.time()) + _VALID_S
        digest = hashlib.md5(f"{until}/{ticket} {self.secret}".encode()).digest()  # noqa: S324  (secure_link knows no other)
        sign = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        return f"/signed/{sign}/{until}/{ticket}/{name}"


@asynccontextmanager
async def running_peer(folder: Path, media: Path) -> AsyncIterator[Peer]:
    """Run an nginx with one worker for the files in *media*; its own files lie in *folder*.

    Raises DemoError.
    """
    secret = secrets.token_hex(16)
    values = {"media": str(media.absolute()), "secret": secret}
    async with running_nginx("bench.conf", folder, values) as nginx:
        yield Peer(nginx.port, nginx.pid, secret)
