"""Files of tracks, held open: a segment is sent from memory, without waiting for a disk."""

from __future__ import annotations

import errno
import os
import time
from collections import OrderedDict
from collections.abc import Callable

# How long a file that was replaced or removed may go on being read.
_TRUSTED_S = 1.0
# What a file system without that flag answers (preadv2(2)): one in memory, mostly.
_NO_FLAG = {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}


class OpenFile:
    """An open file of *size_bytes*."""

    def __init__(self, path: str, now: float) -> None:
        self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        status = os.fstat(self.descriptor)
        self.size_bytes = status.st_size
        self.checked_at = now
        self._flag = getattr(os, "RWF_NOWAIT", 0)
        self._byte = bytearray(1)

    def is_there(self) -> bool:
        """Whether it is still a file of that length, and nobody has removed or replaced it."""
        status = os.fstat(self.descriptor)
        return status.st_nlink > 0 and status.st_size == self.size_bytes

    def is_near(self, position: int) -> bool:
        """Whether byte *position* can be read without waiting for the disk."""
        try:
            return os.preadv(self.descriptor, [self._byte], position, self._flag) == 1
        except BlockingIOError:
            return False
        except OSError as error:
            if self._flag and error.errno in _NO_FLAG:
                self._flag = 0
                return self.is_near(position)
            return False


class OpenFiles:
    """The *limit* files that were read last. *monotonic* is a clock in seconds.

    *may_use* is asked before a path is opened, and each second while it is read.
    """

    def __init__(
        self,
        limit: int,
        monotonic: Callable[[], float] = time.monotonic,
        may_use: Callable[[str], bool] = lambda path: True,
    ) -> None:
        self._limit = limit
        self._may_use = may_use
        self.monotonic = monotonic
        self._files: OrderedDict[str, OpenFile] = OrderedDict()

    def __len__(self) -> int:
        return len(self._files)

    def get(self, path: str) -> OpenFile | None:
        """The file, open; None where it cannot be opened, or is not what it was."""
        now = self.monotonic()
        file = self._files.get(path)
        if file is not None and now - file.checked_at < _TRUSTED_S:
            return file
        may_use = self._may_use(path)
        if file is not None:
            if may_use and file.is_there():
                file.checked_at = now
                self._files.move_to_end(path)
                return file
            self._close(path)
        if not may_use:
            return None
        # What was removed takes room on its disk as long as it is open.
        for gone in [each for each, other in self._files.items() if not other.is_there()]:
            self._close(gone)
        try:
            file = OpenFile(path, now)
        except OSError:
            # None left, or none there: who asks goes the long way, which says what is wrong.
            return None
        self._files[path] = file
        if len(self._files) > self._limit:
            self._close(next(iter(self._files)))
        return file

    def close(self) -> None:
        """Close all."""
        for path in list(self._files):
            self._close(path)

    def _close(self, path: str) -> None:
        os.close(self._files.pop(path).descriptor)
