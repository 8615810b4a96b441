"""A real nginx on loopback, with one of the configurations in deploy/nginx."""

from __future__ import annotations

import asyncio
import os
import shutil
from asyncio.subprocess import PIPE, Process
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


async def filled(configuration: str, values: Mapping[str, str]) -> str:
    """Return a file of deploy/nginx with *values* in it, by its fill.sh; raises DemoError."""
    process = await asyncio.create_subprocess_exec(
        "sh",
        str(CONFIGURATIONS / "fill.sh"),
        configuration,
        *(f"{name}={value}" for name, value in values.items()),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
    text, errors = await process.communicate()
    if process.returncode != 0:
        raise DemoError(f"fill.sh: {errors.decode('utf-8', 'replace').strip()}")
    return text.decode("utf-8")


def for_tests(folder: Path, port: int) -> dict[str, str]:
    """What stands in a configuration of an nginx on loopback whose own files lie in *folder*."""
    return {
        "folder": str(folder.absolute()),
        "logs": str(folder.absolute()),
        "pid": str(folder.absolute() / "nginx.pid"),
        "listen": f"127.0.0.1:{port}",
        # A bench counts what one process does.
        "workers": "1",
        # Started by root its workers would be nobody, who may not read what is another's.
        "user": "user root;" if os.geteuid() == 0 else "",
    }


def nginx_program() -> str:
    """Path of nginx; raises DemoError where there is none."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        raise DemoError("nginx is missing: apt-get install nginx-light")
    return program


@asynccontextmanager
async def running_nginx(
    configuration: str, folder: Path, values: Mapping[str, str], port: int = 0
) -> AsyncIterator[Nginx]:
    """Run nginx on loopback with a file of deploy/nginx, whose @name@ are filled from *values*.

    Its own files lie in *folder*. Raises DemoError.
    """
    program = nginx_program()
    port = port or free_port()
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    text = await filled(configuration, {**for_tests(folder, port), **values})
    config, errors = folder / "nginx.conf", folder / "nginx-error.log"
    config.write_text(text, "utf-8")
    options = ("-p", str(folder), "-e", str(errors), "-c", str(config.absolute()))
    process = await asyncio.create_subprocess_exec(program, *options, "-g", "daemon off;")
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
