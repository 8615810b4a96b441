"""Where tracks lie: what is asked of an object store, and the local folder that serves it.

Keys are paths from the storage's root, such as `tracks/one-week/en/current.json`. Objects are
immutable but for `current.json`, which `swap` changes atomically.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import aiofiles
import aiofiles.os
from aiofiles.threadpool.binary import AsyncBufferedReader

from media.errors import (
    ConflictError,
    InvalidIdError,
    ObjectNotFoundError,
    RangeError,
    StorageError,
)
from media.ids import is_id
from media.locks import FileLock


class Tagged(NamedTuple):
    """An object and a tag that is another one as soon as the object is."""

    data: bytes
    tag: str


class Unfinished(NamedTuple):
    """What a killed writer left behind: no object, and in no list of them. `name` is for people."""

    name: str
    size_bytes: int


class Hold(Protocol):
    """A lock that is held."""

    def check(self) -> None:
        """Raise LockedError where it is not ours any more."""
        ...


class Storage(Protocol):
    """What a reader needs of an object store; every method may raise StorageError."""

    async def read(self, key: str) -> bytes:
        """Whole object; raises ObjectNotFoundError."""
        ...

    async def read_range(self, key: str, start: int, size: int) -> bytes:
        """Up to *size* bytes from *start*, fewer at the end; raises RangeError past the end."""
        ...

    async def size(self, key: str) -> int:
        """Size in bytes; raises ObjectNotFoundError."""
        ...

    async def list(self, prefix: str) -> list[str]:
        """All keys below *prefix* (a folder, without a trailing slash), sorted."""
        ...

    async def folders(self, prefix: str) -> Sequence[str]:
        """Names of the folders directly below *prefix*, sorted."""
        ...


@runtime_checkable
class Presigns(Protocol):
    """A storage that can hand a reader on to itself."""

    async def presigned(self, key: str, lasts: timedelta) -> str:
        """An address by which anybody gets the object for that long: a secret."""
        ...


class WritableStorage(Storage, Protocol):
    """What the packager needs beside that."""

    async def put_file(self, key: str, source: Path) -> None:
        """Store a local file under *key*; durable and visible only when whole."""
        ...

    async def replace(self, key: str, data: bytes) -> None:
        """Write or replace a small object atomically and durably."""
        ...

    async def read_tagged(self, key: str) -> Tagged:
        """Whole object with its tag; raises ObjectNotFoundError."""
        ...

    async def swap(self, key: str, data: bytes, tag: str | None) -> None:
        """Replace the object that still has *tag*, None for one that must not be there.

        Raises ConflictError where somebody else was first; then nothing is changed.
        """
        ...

    async def delete(self, key: str) -> None:
        """Remove the object; raises ObjectNotFoundError."""
        ...

    def lock(self, prefix: str, owner: str) -> AbstractAsyncContextManager[Hold]:
        """Keep every other run away from *prefix* while the context lasts.

        *owner* is what the others are told. Raises LockedError at once where another run is there.
        A holder that was killed holds nothing for long.
        """
        ...

    async def unfinished(self, prefix: str) -> Sequence[Unfinished]:
        """What killed writers left below *prefix*; nobody may be writing there meanwhile."""
        ...

    async def remove_unfinished(self, prefix: str) -> None:
        """Remove all of that."""
        ...

    def where(self, key: str) -> str:
        """How a person finds the object: a path or a URL."""
        ...


def check_key(key: str) -> str:
    """Return *key*, or raise InvalidIdError where a part of it is not an id (so no `..`)."""
    if not all(is_id(part) for part in key.split("/")):
        raise InvalidIdError(
            "storage key", key, "use ids of A-Z a-z 0-9 . _ - with single slashes between them"
        )
    return key


_LOCK_NAME = ".lock"


class LocalStorage:
    """A folder as an object store: write beside, fsync, rename."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, key: str) -> Path:
        """Path of the object in the local file system; raises InvalidIdError."""
        return self._root.joinpath(*check_key(key).split("/"))

    async def read(self, key: str) -> bytes:
        """Whole object."""
        try:
            async with _opened(self.path(key)) as file:
                return await file.read()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise ObjectNotFoundError(key) from error
        except OSError as error:
            raise _failed(key, error) from error

    async def read_range(self, key: str, start: int, size: int) -> bytes:
        """Up to *size* bytes from *start*."""
        try:
            async with _opened(self.path(key)) as file:
                size_bytes = os.fstat(file.fileno()).st_size
                if not 0 <= start < size_bytes:
                    raise RangeError(key, start, size_bytes)
                await file.seek(start)
                return await file.read(size)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise ObjectNotFoundError(key) from error
        except OSError as error:
            raise _failed(key, error) from error

    async def size(self, key: str) -> int:
        """Size in bytes."""
        path = self.path(key)
        try:
            status = await aiofiles.os.stat(path)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ObjectNotFoundError(key) from error
        except OSError as error:
            raise _failed(key, error) from error
        return status.st_size

    async def put_file(self, key: str, source: Path) -> None:
        """Copy a file in."""
        await asyncio.to_thread(self._put, key, source)

    async def replace(self, key: str, data: bytes) -> None:
        """Write a small object."""
        await asyncio.to_thread(self._put, key, data)

    async def list(self, prefix: str) -> list[str]:
        """All keys below a folder."""
        return await asyncio.to_thread(lambda: sorted(self._walk(prefix)))

    async def folders(self, prefix: str) -> Sequence[str]:
        """Names of the folders directly below *prefix*."""
        return await asyncio.to_thread(self._folders, prefix)

    async def read_below(self, prefix: str, name: str) -> dict[str, bytes]:
        """The object *name* of each folder directly below *prefix*, by folder, sorted."""
        # At once: for a few small files the way to the thread is what costs.
        return await asyncio.to_thread(self._read_below, prefix, name)

    async def delete(self, key: str) -> None:
        """Remove the object, and folders that this leaves empty."""
        await asyncio.to_thread(self._delete, key)

    async def read_tagged(self, key: str) -> Tagged:
        """Whole object; the tag is its digest."""
        data = await self.read(key)
        return Tagged(data, _tag(data))

    async def swap(self, key: str, data: bytes, tag: str | None) -> None:
        """Replace the object that still has *tag*.

        Looking and renaming are two steps: writers hold the lock on the track meanwhile.
        """
        try:
            found: str | None = (await self.read_tagged(key)).tag
        except ObjectNotFoundError:
            found = None
        if found != tag:
            raise ConflictError(key)
        await self.replace(key, data)

    def lock(self, prefix: str, owner: str) -> FileLock:
        """Lock a folder by a file in it that the system unlocks when its holder dies."""
        return FileLock(prefix, self.path(prefix) / _LOCK_NAME, self._root, owner)

    async def unfinished(self, prefix: str) -> Sequence[Unfinished]:
        """Staged copies of killed writers."""
        return await asyncio.to_thread(
            lambda: [
                Unfinished(str(path), path.stat().st_size) for path in self._staged_below(prefix)
            ]
        )

    async def remove_unfinished(self, prefix: str) -> None:
        """Remove them, and folders that this leaves empty."""

        def remove() -> None:
            for path in self._staged_below(prefix):
                path.unlink(missing_ok=True)
                self._prune(path)

        try:
            await asyncio.to_thread(remove)
        except OSError as error:
            raise _failed(prefix, error) from error

    def where(self, key: str) -> str:
        """Path of the object."""
        return str(self.path(key))

    def _put(self, key: str, source: Path | bytes) -> None:
        target = self.path(key)
        # The leading dot and the random part keep it out of `list` and out of another writer's way.
        staged = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with staged.open("xb") as out:
                if isinstance(source, bytes):
                    out.write(source)
                else:
                    with source.open("rb") as file:
                        while block := file.read(1 << 20):
                            out.write(block)
                out.flush()
                os.fsync(out.fileno())
            staged.replace(target)
            _fsync_folder(target.parent)
        except OSError as error:
            # Where its folder could not be made, there is nothing to remove.
            with contextlib.suppress(OSError):
                staged.unlink()
            raise _failed(key, error) from error

    def _walk(self, prefix: str) -> Iterator[str]:
        for folder, _, names in os.walk(self.path(prefix)):
            for name in names:
                if not name.startswith("."):
                    yield (Path(folder) / name).relative_to(self._root).as_posix()

    def _folders(self, prefix: str) -> Sequence[str]:
        try:
            with os.scandir(self.path(prefix)) as entries:
                return sorted(
                    entry.name
                    for entry in entries
                    if entry.is_dir() and not entry.name.startswith(".")
                )
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise _failed(prefix, error) from error

    def _read_below(self, prefix: str, name: str) -> dict[str, bytes]:
        found = {}
        for folder in self._folders(prefix):
            key = f"{prefix}/{folder}/{name}"
            try:
                found[folder] = self.path(key).read_bytes()
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError, InvalidIdError):
                # None in there, or a folder that is none of ours.
                continue
            except OSError as error:
                raise _failed(key, error) from error
        return found

    def _staged_below(self, prefix: str) -> Sequence[Path]:
        folder = self.path(prefix)
        return sorted(path for path in folder.rglob(".*.part") if path.is_file())

    def _delete(self, key: str) -> None:
        path = self.path(key)
        try:
            path.unlink()
        except FileNotFoundError as error:
            raise ObjectNotFoundError(key) from error
        except OSError as error:
            raise _failed(key, error) from error
        self._prune(path)

    def _prune(self, path: Path) -> None:
        """Remove the folders above *path* that are empty, and never the root."""
        for folder in path.parents:
            if folder == self._root:
                return
            try:
                folder.rmdir()
            except OSError:
                return


@contextlib.asynccontextmanager
async def _opened(path: Path) -> AsyncIterator[AsyncBufferedReader]:
    """A file to be read; raises OSError.

    A thread opens it. Whoever is cancelled meanwhile, as when a client hangs up, waits for that, or
    nobody would close it.
    """
    opening = asyncio.ensure_future(aiofiles.open(path, "rb"))
    try:
        file = await asyncio.shield(opening)
    except asyncio.CancelledError:
        with contextlib.suppress(OSError):
            await (await opening).close()
        raise
    try:
        yield file
    finally:
        await file.close()


def _tag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _fsync_folder(folder: Path) -> None:
    """A rename survives a power cut only when its folder is synced too (POSIX fsync)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failed(key: str, error: OSError) -> StorageError:
    return StorageError(key, error.strerror or str(error))
