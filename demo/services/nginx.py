"""A real nginx on loopback, with one of the configurations in deploy/nginx."""

from __future__ import annotations

import asyncio
import os
import shutil
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.services import DemoError, free_port

CONFIGURATIONS = Path(__file__).parent.parent.parent / "deploy" / "nginx"
_START_S = 10.0


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running nginx; `pid` is its master's, `access_log` where it writes requests."""

    port: int
    pid: int
    access_log: Path

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def running_nginx(
    configuration: str, folder: Path, values: Mapping[str, str], port: int = 0
) -> AsyncIterator[Nginx]:
    """Run nginx with a file of deploy/nginx, whose @name@ are filled from *values*.

    @folder@ for its own files, @port@ and @user@ are filled here. Raises DemoError.
    """
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        raise DemoError("nginx is missing: apt-get install nginx-light")
    port = port or free_port()
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    text = (CONFIGURATIONS / configuration).read_text("utf-8")
    own = {
        "folder": str(folder.absolute()),
        "port": str(port),
        # Started by root its workers would be nobody, who may not read what is another's.
        "user": "user root;" if os.geteuid() == 0 else "",
    }
    for name, value in {**values, **own}.items():
        text = text.replace(f"@{name}@", value)
    config, errors = folder / "nginx.conf", folder / "nginx-error.log"
    config.write_text(text, "utf-8")
    options = ("-p", str(folder), "-e", str(errors), "-c", str(config.absolute()))
    process = await asyncio.create_subprocess_exec(program, *options)
    try:
        async with asyncio.timeout(_START_S):
            while not await _listens(process, port, errors):
                pass
        yield Nginx(port, process.pid, folder / "nginx-access.log")
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _listens(process: Process, port: int, errors: Path) -> bool:
    if process.returncode is not None:
        raise DemoError(f"nginx did not start:\n{errors.read_text('utf-8')[-1000:]}")
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        # A poll of another program's start, which has no event to wait for.
        await asyncio.sleep(0.05)
        return False
    writer.close()
    return True
