"""Starting the demo's services as real processes, and ending them by their own ids."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_READY = re.compile(r"listens on (http://\S+)")
_START_S = 60.0
_STOP_S = 15.0
_LOWEST_PORT = 20_000
_PORTS = 12_000
_TRIES = 100


class DemoError(Exception):
    """A step of the demo failed; the message says which, and where to look."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running process of ours that said where it listens; its log is a file."""

    name: str
    url: str
    log: Path
    process: asyncio.subprocess.Process

    async def stop(self) -> None:
        """Ask it to end, wait, and kill it only if it does not."""
        if self.process.returncode is None:
            self.process.terminate()
            try:
                async with asyncio.timeout(_STOP_S):
                    await self.process.wait()
            except TimeoutError:
                self.process.kill()
                await self.process.wait()


async def start_service(
    name: str, command: Sequence[str], log: Path, environ: Mapping[str, str] | None = None
) -> Service:
    """Start *command* and wait for its line "… listens on http://…".

    Raises DemoError with the end of its log where it ends or stays silent.
    """
    with log.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=sink,
            env={**os.environ, **(environ or {})},
        )
    assert process.stdout is not None
    url = None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_START_S):
            async for line in process.stdout:
                if found := _READY.search(line.decode("utf-8", "replace")):
                    url = found.group(1)
                    break
    if url is None:
        if process.returncode is None:
            process.kill()
        await process.wait()
        raise DemoError(f"{name} did not start; its log ({log}) ends:\n{_tail(log)}")
    return Service(name, url, log, process)


async def run_command(
    name: str, command: Sequence[str], environ: Mapping[str, str] | None = None
) -> None:
    """Run *command* to its end with its output shown; raises DemoError on another exit code."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, env={**os.environ, **(environ or {})}
    )
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    if code != 0:
        raise DemoError(f"{name} ended with exit code {code}")


def program(name: str) -> str:
    """Path of one of the project's commands, beside the Python that runs the demo."""
    return str(Path(sys.executable).with_name(name))


def _tail(log: Path) -> str:
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-12:])


def free_port() -> int:
    """A port of the loopback that nobody listens on just now; raises DemoError.

    By chance, from below those that a kernel gives to connections that go out (32768 and more,
    ip(7)): one of these could be taken before the server that is told this one comes to it.
    """
    reason: str | None = None
    for _ in range(_TRIES):
        port = _LOWEST_PORT + secrets.randbelow(_PORTS)
        try:
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", port))
        except OSError as error:
            reason = error.strerror
        else:
            return port
    raise DemoError(f"no port is free on 127.0.0.1: {reason}")
