"""The open pages of operators: how many there are, and that they end when the server does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from gateway.errors import EventStreamsFullError

_MOST = 32


class OpsStreams:
    """The streams of one process."""

    def __init__(self) -> None:
        self._open = 0
        self._closed = asyncio.Event()

    def close(self) -> None:
        """Let all go: the server stops, and would wait for them."""
        self._closed.set()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count a stream; raises EventStreamsFullError."""
        if self._open >= _MOST or self._closed.is_set():
            raise EventStreamsFullError(_MOST)
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    async def pause(self, seconds: float) -> bool:
        """Wait so long; whether the streams are still open then."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        return not self._closed.is_set()
