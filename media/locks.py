"""A lock on a folder by a file in it, for all processes that see that folder.

The operating system holds the lock (flock), so a holder that is killed holds nothing. The file only
names it; where it is left behind, the next holder takes it over and removes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from media.errors import LockedError, StorageError

_LONGEST_OWNER_BYTES = 200


class FileLock:
    """An async context manager; raises LockedError at once where another process holds it.

    *key* names what is locked in errors. Folders that had to be made for the file, *root* among
    them, are removed again where nothing came into them.
    """

    def __init__(self, key: str, path: Path, root: Path, owner: str) -> None:
        self._key = key
        self._path = path
        self._root = root
        self._owner = owner
        self._descriptor: int | None = None
        self._made_root = False

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._take)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Not in a thread: it is two calls, and must also happen when we are cancelled.
        self._release()

    def check(self) -> None:
        """Raise StorageError where the folder is not the one that was locked.

        The system keeps the lock as long as the process lives; but a disk may have been taken away
        or put over it meanwhile, and what is written then would go to another place.
        """
        if self._descriptor is None or not self._is_still_there(self._descriptor):
            raise StorageError(self._key, "the folder was removed or replaced while it was in use")

    def _take(self) -> None:
        try:
            self._made_root = not self._root.exists()
            while not self._try():
                pass
        except OSError as error:
            self._remove_empty_folders()
            raise StorageError(self._key, error.strerror or str(error)) from error

    def _try(self) -> bool:
        """Take the lock; False where the file was removed while we took it, so: once more."""
        try:
            # Its last holder may remove the folder between these two lines.
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except FileNotFoundError:
            return False
        except FileExistsError:
            # What mkdir says of a folder that goes away while it looks.
            if self._path.parent.exists() and not self._path.parent.is_dir():
                raise
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, _LONGEST_OWNER_BYTES, 0).decode("utf-8", "replace")
            os.close(descriptor)
            raise LockedError(self._key, holder or "another run") from None
        except OSError:
            os.close(descriptor)
            raise
        if not self._is_still_there(descriptor):
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, self._owner.encode()[:_LONGEST_OWNER_BYTES], 0)
        self._descriptor = descriptor
        return True

    def _is_still_there(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except (FileNotFoundError, NotADirectoryError):
            return False

    def _release(self) -> None:
        if self._descriptor is None:
            return
        if self._is_still_there(self._descriptor):
            # Removed while it is held, so that nobody can take a file that is about to go.
            with contextlib.suppress(OSError):
                self._path.unlink()
            self._remove_empty_folders()
        os.close(self._descriptor)
        self._descriptor = None

    def _remove_empty_folders(self) -> None:
        for folder in self._path.parents:
            if folder == self._root and not self._made_root:
                return
            try:
                folder.rmdir()
            except OSError:
                return
            if folder == self._root:
                return
