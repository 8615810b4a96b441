"""What a storage really holds, by reading all of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from media.errors import ObjectNotFoundError, RangeError
from media.storage import Storage

_PIECE_BYTES = 4 * 1024 * 1024


async def stored_sha256(
    storage: Storage, key: str, on_bytes: Callable[[int], None] | None = None
) -> str | None:
    """SHA-256 of an object in hex, None where there is none; raises StorageError.

    *on_bytes* is told how many bytes are read.
    """
    digest = hashlib.sha256()
    position = 0
    try:
        size_bytes = await storage.size(key)
        while position < size_bytes:
            piece = await storage.read_range(
                key, position, min(_PIECE_BYTES, size_bytes - position)
            )
            if not piece:
                break
            digest.update(piece)
            position += len(piece)
            if on_bytes is not None:
                on_bytes(position)
    except (ObjectNotFoundError, RangeError):
        # RangeError: it became shorter while it was read.
        return None
    return digest.hexdigest()
