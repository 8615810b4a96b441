"""Tell as a process of its own, as people run it: started, listened to, stopped, killed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway.settings import GatewaySettings

ROOT = Path(__file__).parents[2]
# A process starts in two seconds, and in many more where others take the processor.
PATIENCE_S = 120


def write_config(path: Path, settings: GatewaySettings) -> Path:
    """Write settings as TOML: every value of ours is a string, a number or a list in JSON too."""
    lines = []
    sections = settings.model_dump()
    for name, table in sections.pop("partners").items():
        sections[f"partners.{name}"] = table
    for name in ("s3", "cache"):
        sections[f"media.{name}"] = sections["media"].pop(name)
    for name, table in sections.items():
        lines.append(f"[{name}]")
        lines.extend(f"{key} = {json.dumps(value)}" for key, value in table.items())
    path.write_text("\n".join(lines) + "\n")
    return path


async def run_tell(*arguments: str) -> tuple[int, str, str]:
    """Run the `tell` command to its end: exit code, stdout, stderr."""
    process = await _start(*arguments)
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def _start(*arguments: str, environ: Mapping[str, str] = MappingProxyType({})) -> Process:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TELL_")}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "always::ResourceWarning",
        "-m",
        "gateway.cli",
        *arguments,
        cwd=ROOT,
        env={**clean, **environ},
        stdout=PIPE,
        stderr=PIPE,
    )


class TellProcess:
    """A running `tell serve`; `url` is what its one line of stdout says."""

    def __init__(self, process: Process, url: str) -> None:
        self.url = url
        self.log: list[str] = []
        self._process = process
        self._grown = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(
        cls, config: Path, *options: str, environ: Mapping[str, str] = MappingProxyType({})
    ) -> TellProcess:
        """Start it and wait until it listens."""
        process = await _start("serve", "--config", str(config), *options, environ=environ)
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            line = (await process.stdout.readline()).decode()
        if not line.startswith("Tell listens on http://"):
            _, err = await process.communicate()
            raise AssertionError(f"{line!r} {err.decode()}")
        return cls(process, line.removeprefix("Tell listens on ").strip())

    async def logged(self, event: str, *, after: int = 0, **fields: Any) -> dict[str, Any]:
        """The first log record of *event* with these fields, waiting for it to come.

        Behind the first *after* lines of the log.
        """
        async with asyncio.timeout(PATIENCE_S), self._grown:
            while True:
                for line in self.log[after:]:
                    record: dict[str, Any] = json.loads(line) if line.startswith("{") else {}
                    if record.get("event") == event and fields.items() <= record.items():
                        return record
                await self._grown.wait()

    def signal(self, number: int) -> None:
        """Send it a signal, and go on."""
        self._process.send_signal(number)

    async def kill(self) -> None:
        """SIGKILL, as a crash or a power cut of the process."""
        self._process.kill()
        await self._ended()

    async def stop(self) -> tuple[int, str]:
        """SIGTERM; returns the exit code, and what came on stdout after the first line."""
        self._process.terminate()
        return await self._ended()

    async def leave_none(self) -> None:
        """SIGTERM where it still runs, as after a test that failed."""
        if self._process.returncode is None:
            await self.stop()

    async def _ended(self) -> tuple[int, str]:
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            rest = (await self._process.stdout.read()).decode()
            code = await self._process.wait()
            await self._reader
        return code, rest

    async def _read(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            async with self._grown:
                self.log.append(line.decode())
                self._grown.notify_all()
