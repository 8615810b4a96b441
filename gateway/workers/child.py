"""A worker as its supervisor sees it: a process, and a line to it."""

from __future__ import annotations

import asyncio
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from catalog.workers import spawn
from gateway.workers.control import READY, Line, Orders, Post
from gateway.workers.notify import without_notify


@dataclass(frozen=True, slots=True)
class Place:
    """What a worker is given: its slot, a name among the living of it, and all sockets."""

    slot: int
    name: str
    public_url: str
    listeners: Sequence[socket.socket]
    metrics_folder: Path


class Child:
    """A worker; made by `start`. `on_end` is called once, when it has ended."""

    def __init__(self, process: Process, line: Line, name: str) -> None:
        self.pid = process.pid
        self.name = name
        self.on_end: Callable[[], None] = lambda: None
        self._process = process
        self._line = line
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._ready_at: float | None = None
        self._ended_at: float | None = None
        self._heard_at = self._loop.time()
        self._listening = spawn(self._listen(), "worker's words")
        self._ending = spawn(self._wait(), "worker's end")

    @classmethod
    async def start(cls, command: Sequence[str], environ: Mapping[str, str], place: Place) -> Child:
        """Start the process; raises OSError where there is no program or no room for it."""
        ours, its = socket.socketpair()
        with its:
            descriptors = [each.fileno() for each in place.listeners]
            post = Post(
                slot=place.slot,
                control=its.fileno(),
                listeners=descriptors,
                public_url=place.public_url,
                metrics_folder=str(place.metrics_folder),
                metrics_name=place.name,
            )
            process = await asyncio.create_subprocess_exec(
                *command,
                post.dump(),
                env=without_notify(environ),
                stdin=DEVNULL,
                pass_fds=[its.fileno(), *descriptors],
                # Ctrl-C is for the supervisor, which tells its workers.
                process_group=0,
            )
        return cls(process, await Line.open(ours), place.name)

    @property
    def ended(self) -> bool:
        """Whether the process is over."""
        return self._ended_at is not None

    @property
    def exit_code(self) -> int | None:
        """As asyncio has it: negative for the signal that ended it."""
        return self._process.returncode

    @property
    def lived_s(self) -> float:
        """Seconds from its being ready until its end or now; 0 where it was never ready."""
        if self._ready_at is None:
            return 0.0
        return (self._ended_at or self._loop.time()) - self._ready_at

    @property
    def silent_s(self) -> float:
        """Seconds since its last word."""
        return self._loop.time() - self._heard_at

    async def is_ready(self) -> bool:
        """Wait until it answers requests; False where it ended first."""
        await self._ready.wait()
        return self._ready_at is not None

    async def wait(self) -> int:
        """Wait for its end; returns its exit code."""
        await asyncio.shield(self._ending)
        return await self._process.wait()

    def order(self, orders: Orders) -> None:
        """Tell it what to do."""
        self._line.order(orders)

    def terminate(self) -> None:
        """SIGTERM."""
        with suppress(ProcessLookupError):
            self._process.terminate()

    def kill(self) -> None:
        """SIGKILL."""
        with suppress(ProcessLookupError):
            self._process.kill()

    async def _listen(self) -> None:
        async for word in self._line.words():
            self._heard_at = self._loop.time()
            if word == READY:
                self._ready_at = self._heard_at
                self._ready.set()

    async def _wait(self) -> None:
        await self._process.wait()
        self._ended_at = self._loop.time()
        # Perhaps it said so just before.
        await self._listening
        self._line.close()
        self._ready.set()
        self.on_end()
