"""A lock where the storage can only swap objects: one that must be renewed, or it is over.

The holder writes its name and an end into an object, with a condition that only one of several can
meet, and writes it anew at each third of that time. A holder that was killed is passed over once
its end has come. Clocks that differ make nothing wrong but the waiting: what a lost lock guards is
itself changed by conditional writes alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Protocol, Self

import structlog

from media.errors import ConflictError, LockedError, ObjectNotFoundError, StorageError
from media.storage import Tagged

_log = structlog.get_logger()


class Swaps(Protocol):
    """What a lease needs of an object store."""

    async def read_tagged(self, key: str) -> Tagged:
        """Whole object with its tag; raises ObjectNotFoundError."""
        ...

    async def swap(self, key: str, data: bytes, tag: str | None) -> None:
        """Replace the object that still has *tag*; raises ConflictError."""
        ...

    async def delete(self, key: str) -> None:
        """Remove the object."""
        ...


class Lease:
    """An async context manager; raises LockedError at once where another run holds *key*."""

    def __init__(
        self, store: Swaps, key: str, owner: str, clock: Callable[[], datetime], lasts: timedelta
    ) -> None:
        self._store = store
        self._key = key
        self._owner = owner
        self._clock = clock
        self._lasts = lasts
        # So that two objects of the same holder and end are not equal, and so have other tags.
        self._nonce = secrets.token_hex(8)
        self._until: datetime | None = None
        self._lost_to: str | None = None
        self._renewing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        tag = await self._tag_to_replace()
        try:
            await self._write(tag)
        except ConflictError as error:
            # Another run was quicker by a moment.
            raise LockedError(self._key, await self._holder()) from error
        self._renewing = asyncio.create_task(self._renew())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait([self._renewing])
        # Where the storage is gone the lease ends by itself.
        with contextlib.suppress(StorageError):
            if self._is_ours(await self._store.read_tagged(self._key)):
                await self._store.delete(self._key)

    def check(self) -> None:
        """Raise LockedError where another run took it, or where its time is over."""
        if self._lost_to is not None:
            raise LockedError(self._key, self._lost_to)
        if self._until is None or self._clock() >= self._until:
            raise LockedError(self._key, "nobody: it could not be renewed in time")

    async def _tag_to_replace(self) -> str | None:
        try:
            found = await self._store.read_tagged(self._key)
        except ObjectNotFoundError:
            return None
        holder, until = _parse(found.data)
        if until is not None and self._clock() < until:
            raise LockedError(self._key, f"{holder}, until {until.isoformat(timespec='seconds')}")
        _log.warning("a lock that ran out is taken over", key=self._key, holder=holder)
        return found.tag

    async def _write(self, tag: str | None) -> None:
        # The end counts from before the write, so that we never believe in it longer than others.
        until = self._clock() + self._lasts
        data = {"owner": self._owner, "until": until.isoformat(), "nonce": self._nonce}
        await self._store.swap(self._key, json.dumps(data).encode(), tag)
        self._until = until

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._lasts.total_seconds() / 3)
            try:
                found = await self._store.read_tagged(self._key)
                if not self._is_ours(found):
                    self._lost_to = _parse(found.data)[0]
                    return
                await self._write(found.tag)
            except (ObjectNotFoundError, ConflictError):
                self._lost_to = await self._holder()
                return
            except StorageError as error:
                # Once more at the next third; `check` knows when it is too late.
                _log.warning("a lock was not renewed", key=self._key, reason=str(error))

    def _is_ours(self, found: Tagged) -> bool:
        return self._nonce.encode() in found.data

    async def _holder(self) -> str:
        try:
            return _parse((await self._store.read_tagged(self._key)).data)[0]
        except StorageError:
            return "another run"


def _parse(data: bytes) -> tuple[str, datetime | None]:
    """Holder and end; an object that is none of ours ended long ago."""
    try:
        content = json.loads(data)
        return str(content["owner"]), datetime.fromisoformat(content["until"])
    except (ValueError, KeyError, TypeError):
        return "another run", None
