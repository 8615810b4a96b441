"""Reads the packets out of an encoder's fragmented MP4, block by block, as it is written.

The encoder's own boxes are thrown away: muxer.py writes ours, so that the same packets give the
same bytes with every version of ffmpeg. Sections named are those of ISO/IEC 14496-12.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from media.cmaf import Box, child_boxes, read_box_header, read_movie_fragment
from media.errors import TrackFormatError

# Two seconds at the ladder's highest rate have 64 kB; more is no fragment of ours.
_LARGEST_BOX = 1 << 20
# tfhd flags (8.8.7): fields before the default sample size, and the size itself.
_TFHD_FIELDS_BEFORE_SIZE = (0x000001, 8), (0x000002, 4), (0x000008, 4)
_TFHD_SIZE = 0x000010
# trun flags (8.8.8): fields before the table, and the table's columns in their order.
_TRUN_FIELDS_BEFORE_TABLE = (0x000001, 4), (0x000004, 4)
_TRUN_COLUMNS = 0x000100, 0x000200, 0x000400, 0x000800
_TRUN_SIZE = 0x000200


@dataclass(frozen=True, slots=True)
class PacketRun:
    """Packets that follow each other: when the first begins, their sizes, and their bytes.

    `moov` is the body of the encoder's movie header, which says what decodes them.
    """

    moov: bytes
    decode_time: int
    samples: int
    sizes: tuple[int, ...]
    data: bytes


class PacketReader:
    """Takes the encoder's output block by block.

    Raises TrackFormatError where the encoder writes what we do not expect.
    """

    def __init__(self, name: str) -> None:
        self._moov: bytes | None = None
        self._name = name
        self._buffer = bytearray()
        self._moof: tuple[Box, bytes] | None = None

    def feed(self, block: bytes) -> Iterator[PacketRun]:
        """Take the next bytes of the encoder's output, and yield the packets that are whole."""
        self._buffer += block
        while (box := read_box_header(bytes(self._buffer[:16]), 0)) is not None:
            if box.size > _LARGEST_BOX:
                raise self._wrong(f"the encoder wrote a box of {box.size} bytes")
            if len(self._buffer) < box.size:
                return
            content = bytes(self._buffer[box.body : box.size])
            del self._buffer[: box.size]
            if box.kind == b"mdat" and self._moov is not None and self._moof is not None:
                yield self._run(self._moov, *self._moof, content)
                self._moof = None
            elif box.kind == b"moof" and self._moov is not None and self._moof is None:
                self._moof = (box, content)
            elif box.kind == b"moov" and self._moov is None:
                self._moov = content
            elif box.kind != b"ftyp":
                raise self._wrong(f"the encoder wrote {box.kind!r} where it has no place")

    def finish(self) -> None:
        """Raise TrackFormatError where the encoder stopped within a fragment."""
        if self._buffer or self._moof is not None:
            raise self._wrong("the encoder stopped within a fragment")

    def _run(self, moov: bytes, moof: Box, body: bytes, data: bytes) -> PacketRun:
        fragment = read_movie_fragment(body, moof.size, self._name)
        sizes = _sample_sizes(body)
        if sum(sizes) != len(data):
            raise self._wrong(f"the encoder named {sum(sizes)} bytes and wrote {len(data)}")
        return PacketRun(moov, fragment.decode_time, fragment.samples, sizes, data)

    def _wrong(self, message: str) -> TrackFormatError:
        return TrackFormatError(self._name, message)


def _sample_sizes(moof: bytes) -> tuple[int, ...]:
    """Sizes of all samples of a moof's body that `read_movie_fragment` has found sound."""
    traf = next(box for box in child_boxes(moof, 0, len(moof)) if box.kind == b"traf")
    found = {box.kind: box.body for box in child_boxes(moof, traf.body, traf.end)}
    tfhd, trun = found[b"tfhd"], found[b"trun"]
    flags, count = struct.unpack_from(">II", moof, trun)
    if not flags & _TRUN_SIZE:
        (tfhd_flags,) = struct.unpack_from(">I", moof, tfhd)
        before = sum(size for bit, size in _TFHD_FIELDS_BEFORE_SIZE if tfhd_flags & bit)
        (default,) = struct.unpack_from(">I", moof, tfhd + 8 + before)
        return (int(default),) * int(count)
    at = trun + 8 + sum(size for bit, size in _TRUN_FIELDS_BEFORE_TABLE if flags & bit)
    columns = [bit for bit in _TRUN_COLUMNS if flags & bit]
    table = struct.unpack_from(f">{count * len(columns)}I", moof, at)
    sizes: tuple[int, ...] = table[columns.index(_TRUN_SIZE) :: len(columns)]
    return sizes
