"""What a WAV's header promises, read by ourselves: ffprobe derives it from the size that is left.

The header is RIFF (IBM and Microsoft, Multimedia Programming Interface 1.0) or RF64 and BW64, whose
real sizes stand in a ds64 chunk (EBU Tech 3306 3.1, ITU-R BS.2088 4).
"""

from __future__ import annotations

import struct
from pathlib import Path

from packager.errors import SourceTruncatedError, SourceUnfinishedError

# What a data chunk says when it was written through a pipe or its recorder was stopped; in an RF64
# the second sends the reader to its ds64 chunk (EBU Tech 3306 3.1).
_IN_DS64 = 0xFFFFFFFF
_UNKNOWN_SIZES = frozenset({0, _IN_DS64})


def check_wav_size(path: Path, size_bytes: int) -> None:
    """Compare the size of a WAV's data chunk with what is there; other files pass.

    Raises SourceTruncatedError, SourceUnfinishedError and OSError.
    """
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] not in {b"RIFF", b"RF64", b"BW64"} or head[8:12] != b"WAVE":
            return
        long_size = None
        while len(chunk := file.read(8)) == 8:
            kind, size = struct.unpack("<4sI", chunk)
            if kind == b"data":
                declared = long_size if size == _IN_DS64 and long_size is not None else size
                found = size_bytes - file.tell()
                if declared in _UNKNOWN_SIZES and found:
                    raise SourceUnfinishedError(path.name)
                if found < declared and declared not in _UNKNOWN_SIZES:
                    raise SourceTruncatedError(path.name, declared, found, "bytes of sound")
                return
            if kind == b"ds64":
                content = file.read(size)
                if len(content) >= 16:
                    # riffSize, then dataSize, both of 64 bits.
                    (long_size,) = struct.unpack_from("<Q", content, 8)
                file.seek(size % 2, 1)
            else:
                # Chunks are padded to an even size.
                file.seek(size + size % 2, 1)
