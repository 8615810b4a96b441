"""Where tracks lie: one Protocol, and the local folder that serves it.

Keys are paths from the storage's root, such as `tracks/one-week/en/current.json`. Objects are
immutable but for `current.json`, which `replace` changes atomically.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import aiofiles
import aiofiles.os

from media.errors import InvalidIdError, ObjectNotFoundError, RangeError, StorageError
from media.ids import is_id


class Storage(Protocol):
    """What the packager and the gateway need of an object store."""

    async def read(self, key: str) -> bytes:
        """Whole object; raises ObjectNotFoundError."""
        ...

    async def read_range(self, key: str, start: int, size: int) -> bytes:
        """Up to *size* bytes from *start*, fewer at the end; raises RangeError past the end."""
        ...

    async def size(self, key: str) -> int:
        """Size in bytes; raises ObjectNotFoundError."""
        ...

    async def put_file(self, key: str, source: Path) -> None:
        """Store a local file under *key*; durable and visible only when whole."""
        ...

    async def replace(self, key: str, data: bytes) -> None:
        """Write or replace a small object atomically and durably."""
        ...

    async def list(self, prefix: str) -> list[str]:
        """All keys below *prefix* (a folder, without a trailing slash), sorted."""
        ...

    async def delete(self, key: str) -> None:
        """Remove the object; raises ObjectNotFoundError."""
        ...


def check_key(key: str) -> str:
    """Return *key*, or raise InvalidIdError where a part of it is not an id (so no `..`)."""
    if not all(is_id(part) for part in key.split("/")):
        raise InvalidIdError(
            "storage key", key, "use ids of A-Z a-z 0-9 . _ - with single slashes between them"
        )
    return key


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
            async with aiofiles.open(self.path(key), "rb") as file:
                return await file.read()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise ObjectNotFoundError(key) from error
        except OSError as error:
            raise _failed(key, error) from error

    async def read_range(self, key: str, start: int, size: int) -> bytes:
        """Up to *size* bytes from *start*."""
        try:
            async with aiofiles.open(self.path(key), "rb") as file:
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

    async def delete(self, key: str) -> None:
        """Remove the object, and folders that this leaves empty."""
        await asyncio.to_thread(self._delete, key)

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

    def _delete(self, key: str) -> None:
        path = self.path(key)
        try:
            path.unlink()
        except FileNotFoundError as error:
            raise ObjectNotFoundError(key) from error
        except OSError as error:
            raise _failed(key, error) from error
        for folder in path.parents:
            if folder == self._root:
                return
            try:
                folder.rmdir()
            except OSError:
                return


def _fsync_folder(folder: Path) -> None:
    """A rename survives a power cut only when its folder is synced too (POSIX fsync)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failed(key: str, error: OSError) -> StorageError:
    return StorageError(key, error.strerror or str(error))
