"""A file on its way into the cache: fetched block by block, and read while it is fetched."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

from media.cache.flights import Flights
from media.cache.shelf import Part, digest_of
from media.errors import StorageError

# A block is 2 minutes of sound at 64 kbit/s: one request for about twenty segments.
BLOCK_BYTES = 1 << 20
_AT_ONCE = 4
_T = TypeVar("_T")


class FillingEndedError(Exception):
    """A file is not on its way any more: it is there, or was given up."""


class Filling:
    """Fills *part* from the object *key* by *fetch*, which gets a key, a first byte and a size."""

    def __init__(
        self, key: str, part: Part, fetch: Callable[[str, int, int], Awaitable[bytes]]
    ) -> None:
        self.part = part
        self._key = key
        self._fetch = fetch
        self._there = bytearray(-(-part.size_bytes // BLOCK_BYTES))
        self._flights = Flights[None]()
        self._is_closed = False

    @property
    def is_empty(self) -> bool:
        """Whether no block of it is there."""
        return not any(self._there)

    async def read(self, start: int, size: int) -> bytes:
        """Bytes that lie in the file, as soon as they are there.

        Raises StorageError where they cannot be fetched, OSError where they cannot be kept, and
        FillingEndedError.
        """
        last = start + size - 1
        for number in range(start // BLOCK_BYTES, last // BLOCK_BYTES + 1):
            await self._block(number)
        return await self._on_disk(lambda descriptor: os.pread(descriptor, size, start))

    async def complete(self) -> None:
        """Fetch what is not there yet; raises as `read`."""
        missing = iter([number for number, there in enumerate(self._there) if not there])

        async def fetch_some() -> None:
            for number in missing:
                await self._block(number)

        for result in await asyncio.gather(
            *(fetch_some() for _ in range(_AT_ONCE)), return_exceptions=True
        ):
            if result is not None:
                raise result

    async def digest(self) -> str:
        """SHA-256 of what is there; raises OSError and FillingEndedError."""
        return await self._on_disk(digest_of)

    def close(self) -> None:
        """Close the file; who reads it still gets a FillingEndedError."""
        if not self._is_closed:
            self._is_closed = True
            os.close(self.part.descriptor)

    async def cancel(self) -> None:
        """Fetch nothing more, and close the file."""
        await self._flights.cancel()
        self.close()

    async def _block(self, number: int) -> None:
        if not self._there[number]:
            await self._flights.join(number, lambda: self._fetch_block(number))

    async def _fetch_block(self, number: int) -> None:
        start = number * BLOCK_BYTES
        size = min(BLOCK_BYTES, self.part.size_bytes - start)
        data = await self._fetch(self._key, start, size)
        if len(data) != size:
            raise StorageError(self._key, f"ends at byte {start + len(data)}, too early")
        await self._on_disk(lambda descriptor: _write(descriptor, data, start))
        self._there[number] = 1

    async def _on_disk(self, work: Callable[[int], _T]) -> _T:
        """Do *work* in a thread, on a descriptor of its own: this one may be closed meanwhile."""
        if self._is_closed:
            raise FillingEndedError
        own = os.dup(self.part.descriptor)

        def run() -> _T:
            try:
                return work(own)
            finally:
                os.close(own)

        return await asyncio.to_thread(run)


def _write(descriptor: int, data: bytes, position: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, position)
        view, position = view[written:], position + written
