"""The pointers of a film (current.json): asked for often, and kept for when nobody answers."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from media.cache.flights import Flights
from media.cache.notes import Notes, Outcome
from media.cache.shelf import Shelf
from media.errors import StorageError

_FILMS = 256
# How long a storage that did not answer is not asked again.
_AWAY_S = 2.0

Pointers = Mapping[str, bytes]


class _Known(NamedTuple):
    pointers: Pointers
    at: float


class KnownPointers:
    """Pointers by their folder's prefix. *monotonic* is a clock in seconds.

    An answer is good for *fresh_s*. Where one is known, the storage has *patience_s* for the next.
    """

    def __init__(
        self,
        shelf: Shelf,
        place: str,
        notes: Notes,
        monotonic: Callable[[], float],
        *,
        fresh_s: float,
        patience_s: float,
    ) -> None:
        self._shelf = shelf
        self._place = place
        self._notes = notes
        self._monotonic = monotonic
        self._fresh_s = fresh_s
        self._patience_s = patience_s
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._flights = Flights[Pointers]()
        self._away_until = float("-inf")

    async def get(self, prefix: str, read: Callable[[], Awaitable[Pointers]]) -> Pointers:
        """The pointers below *prefix*, as *read* gives them; raises what that raises.

        Where it fails, or takes too long, they are those that were read last.
        """
        known = self._known.get(prefix)
        now = self._monotonic()
        if known is not None and now - known.at < self._fresh_s:
            return known.pointers
        if now < self._away_until and (last := await self._last(prefix)) is not None:
            return last
        flight = self._flights.join(prefix, lambda: self._read(prefix, read))
        last = await self._last(prefix)
        if last is None:
            return await flight
        try:
            async with asyncio.timeout(self._patience_s):
                return await flight
        except (StorageError, TimeoutError) as error:
            self._away_until = self._monotonic() + _AWAY_S
            self._notes.trouble(Outcome.STALE, prefix, str(error) or "no answer in time")
            return last

    async def cancel(self) -> None:
        """Ask nothing more."""
        await self._flights.cancel()

    async def _read(self, prefix: str, read: Callable[[], Awaitable[Pointers]]) -> Pointers:
        before = self._known.get(prefix)
        at = self._monotonic()
        pointers = await read()
        self._known[prefix] = _Known(pointers, at)
        self._known.move_to_end(prefix)
        if len(self._known) > _FILMS:
            self._known.popitem(last=False)
        self._away_until = float("-inf")
        self._notes.well(Outcome.STALE)
        # What is not there for a film that is asked for at random need not be kept.
        if pointers and (before is None or before.pointers != pointers):
            text = json.dumps({name: data.decode("latin-1") for name, data in pointers.items()})
            try:
                name = self._document(prefix)
                await asyncio.to_thread(self._shelf.write_document, name, text.encode())
            except OSError as error:
                self._notes.trouble(Outcome.DISK, prefix, error.strerror or str(error))
        return pointers

    async def _last(self, prefix: str) -> Pointers | None:
        """What was read last, by this process or by one before it."""
        known = self._known.get(prefix)
        if known is not None:
            return known.pointers
        try:
            text = await asyncio.to_thread(self._shelf.read_document, self._document(prefix))
        except OSError as error:
            self._notes.trouble(Outcome.DISK, prefix, error.strerror or str(error))
            return None
        if text is None:
            return None
        return {name: data.encode("latin-1") for name, data in json.loads(text).items()}

    def _document(self, prefix: str) -> str:
        return document_name(self._place, f"{prefix}/")


def document_name(place: str, key: str) -> str:
    """Name of the file that keeps a small object of a storage at *place*."""
    return hashlib.sha256(f"{place}\n{key}".encode()).hexdigest() + ".json"
