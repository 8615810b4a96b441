"""Digests of files: one of the whole, and one of each piece, by which damage can be named."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path

from media.track import Piece

_BLOCK_BYTES = 1 << 20


def file_sha256(path: Path) -> str:
    """SHA-256 of a file in hex; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def piece_checksums(path: Path, pieces: Sequence[Piece]) -> tuple[int, ...]:
    """CRC-32 (zlib) of each of *pieces*; a piece past the file's end has that of what is there.

    Raises OSError.
    """
    checksums = []
    with path.open("rb") as file:
        for piece in pieces:
            file.seek(piece.offset)
            checksum, left = 0, piece.size
            while left and (block := file.read(min(left, _BLOCK_BYTES))):
                checksum = zlib.crc32(block, checksum)
                left -= len(block)
            checksums.append(checksum)
    return tuple(checksums)
