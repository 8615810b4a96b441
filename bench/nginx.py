"""nginx as a peer: its own signed links (deploy/nginx/bench.conf) on the files of a track."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import secrets
import shutil
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

_CONFIG = Path(__file__).parent.parent / "deploy" / "nginx" / "bench.conf"
_START_S = 10.0
_VALID_S = 7200


class NoNginxError(Exception):
    """There is no nginx with secure_link; the message says how to get it."""

    code = "bench-nginx"


@dataclass(frozen=True, slots=True)
class Nginx:
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


def find_nginx() -> str:
    """Path of the program; raises NoNginxError."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if found is None:
        raise NoNginxError("nginx is missing: apt-get install nginx-light")
    return found


@asynccontextmanager
async def running_nginx(folder: Path, media: Path) -> AsyncIterator[Nginx]:
    """Run an nginx with one worker for the files in *media*; its own files lie in *folder*."""
    program = find_nginx()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    secret = secrets.token_hex(16)
    text = _CONFIG.read_text("utf-8")
    for name, value in {
        "folder": str(folder.absolute()),
        "media": str(media.absolute()),
        "port": str(port),
        "secret": secret,
        # The files of a bench are its owner's.
        "user": "user root;" if os.geteuid() == 0 else "",
    }.items():
        text = text.replace(f"@{name}@", value)
    config = folder / "nginx.conf"
    config.write_text(text, "utf-8")
    process = await asyncio.create_subprocess_exec(
        program,
        "-p",
        str(folder),
        "-e",
        str(folder / "nginx-error.log"),
        "-c",
        str(config.absolute()),
    )
    try:
        async with asyncio.timeout(_START_S):
            while not await _listens(port):
                if process.returncode is not None:
                    raise NoNginxError((folder / "nginx-error.log").read_text("utf-8")[-1000:])
        yield Nginx(port, process.pid, secret)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        await asyncio.sleep(0.05)
        return False
    writer.close()
    return True
