"""Whether an SQLite file was written to, told in microseconds and without a thread.

What a query found stays true as long as nobody commits, and SQLite counts commits in memory that
all processes share (https://sqlite.org/walformat.html, the WAL-index). So to look there costs no
read of the disk and waits for no lock.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

# Of what SQLite counts.
_NUMBER_BITS = 32


class FileVersion:
    """Looks at the file *path*, which is in WAL mode; always from the same thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        # Each connection counts from a number of its own.
        self._connections = 0

    def read(self) -> int | None:
        """A number that is another one after each commit of another connection, which all are.

        https://sqlite.org/pragma.html#pragma_data_version. None where it cannot be told now: the
        file is locked as a whole, or cannot be read.
        """
        try:
            if self._connection is None:
                self._connection = self._connect()
            found: tuple[int] = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            self.close()
            return None
        return self._connections << _NUMBER_BITS | found[0]

    def close(self) -> None:
        """Let go of the file; a later `read` opens it again."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with suppress(sqlite3.Error):
                connection.close()

    def _connect(self) -> sqlite3.Connection:
        # Nothing is waited for, and nothing is made or written.
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode=rw", uri=True, timeout=0, isolation_level=None
        )
        connection.execute("PRAGMA query_only=ON").close()
        self._connections += 1
        return connection
