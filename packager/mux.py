"""From what the encoder writes to the rendition's file: one init segment, one sidx, all fragments.

The fragments stay as they are; the boxes before them are ours. The length is known beforehand, so
the sidx's place is kept free and filled in at the end: one pass, and memory for the index alone.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from media.cmaf import Box, read_box_header, read_movie_fragment
from media.errors import TrackFormatError
from media.grid import FRAGMENT_SAMPLES, SEGMENT_SAMPLES
from media.track import Piece, group_segments
from packager.boxes import file_type, movie_header, segment_index, segment_index_size

# A fragment of 0.96 s at the ladder's highest rate has 31 kB; more is no fragment of ours.
_LARGEST_BOX = 1 << 20


class RenditionFile:
    """Takes the encoder's output block by block and writes *path*.

    A context manager that closes the file. Raises TrackFormatError where the encoder writes what we
    do not expect, and OSError where the disk is full. Writes are a few kilobytes into the page
    cache, so they are not handed to a thread.
    """

    def __init__(self, path: Path, length_samples: int, language: str) -> None:
        self._name = path.stem
        self._length_samples = length_samples
        self._language = language
        self._file = path.open("xb")
        self._buffer = bytearray()
        self._moof: bytes | None = None
        self._sidx_offset = 0
        self._fragments: list[Piece] = []
        self.samples = 0

    def __enter__(self) -> RenditionFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def feed(self, block: bytes) -> None:
        """Take the next bytes of the encoder's output."""
        self._buffer += block
        while (box := read_box_header(bytes(self._buffer[:16]), 0)) is not None:
            if box.size > _LARGEST_BOX:
                raise self._wrong(f"the encoder wrote a box of {box.size} bytes")
            if len(self._buffer) < box.size:
                return
            whole = bytes(self._buffer[: box.size])
            del self._buffer[: box.size]
            self._take(box, whole)

    def finish(self) -> None:
        """Write the sidx; raises TrackFormatError where the sound is not of the promised length."""
        if self._buffer or self._moof is not None:
            raise self._wrong("the encoder stopped within a fragment")
        if self.samples != self._length_samples:
            raise self._wrong(f"has {self.samples} samples instead of {self._length_samples}")
        self._file.seek(self._sidx_offset)
        self._file.write(segment_index(group_segments(tuple(self._fragments))))
        # Here and not in close(), so that a full disk is an error of this file's.
        self._file.flush()

    def _take(self, box: Box, whole: bytes) -> None:
        if box.kind == b"ftyp":
            return  # ours is written with the moov
        if box.kind == b"moov" and not self._sidx_offset:
            self._file.write(file_type())
            header = movie_header(
                whole[box.body :], self._length_samples, self._language, self._name
            )
            self._file.write(header)
            self._sidx_offset = self._file.tell()
            segments = -(-self._length_samples // SEGMENT_SAMPLES)
            self._file.write(bytes(segment_index_size(segments)))
        elif box.kind == b"moof" and self._sidx_offset and self._moof is None:
            self._moof = whole
        elif box.kind == b"mdat" and self._moof is not None:
            self._write_fragment(self._moof, whole)
            self._moof = None
        else:
            raise self._wrong(f"the encoder wrote {box.kind!r} where it has no place")

    def _write_fragment(self, moof: bytes, mdat: bytes) -> None:
        offset = self._file.tell()
        where = f"{self._name}: fragment {len(self._fragments)}"
        fragment = read_movie_fragment(moof[8:], len(moof), where)
        left = self._length_samples - self.samples
        if fragment.samples != min(FRAGMENT_SAMPLES, left):
            raise TrackFormatError(where, f"has {fragment.samples} samples, off the common grid")
        self._file.write(moof)
        self._file.write(mdat)
        self._fragments.append(Piece(offset, len(moof) + len(mdat), fragment.samples))
        self.samples += fragment.samples

    def _wrong(self, message: str) -> TrackFormatError:
        return TrackFormatError(self._name, message)
