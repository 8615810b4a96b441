"""Strict reader of a rendition's file: one CMAF track with one `sidx` before its fragments.

It reads box headers and the small boxes alone, never the sound, so that its memory does not grow
with the film (but for the index that it returns). What a player would have to interpret (an edit
list, a first time other than 0, priming) is reported, and what is not of our form is refused, with
the byte where it stands.

Sections named without a document are those of ISO/IEC 14496-12 (ISO base media file format).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from media.errors import TrackFormatError
from media.grid import SAMPLE_RATE_HZ
from media.track import ByteRange, Piece

# Boxes that are read into memory are far smaller than this; a larger one is a damaged size field.
_LARGEST_INDEX_BOX = 4 << 20
_CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"edts"})
# tfhd flags (8.8.7): what may precede the defaults, and that offsets count from the moof.
_TFHD_BASE_DATA_OFFSET = 0x000001
_TFHD_DESCRIPTION_INDEX = 0x000002
_TFHD_DURATION = 0x000008
_TFHD_SIZE = 0x000010
_TFHD_BASE_IS_MOOF = 0x020000
# trun flags (8.8.8).
_TRUN_DATA_OFFSET = 0x000001
_TRUN_FIRST_FLAGS = 0x000004
_TRUN_DURATION = 0x000100
_TRUN_SIZE = 0x000200
_TRUN_FLAGS = 0x000400
_TRUN_COMPOSITION = 0x000800
# An AudioSampleEntry's own fields, before its child boxes (12.2.3), with the 8 of SampleEntry.
AUDIO_SAMPLE_ENTRY_SIZE = 28


class Box(NamedTuple):
    """A box: `offset` and `size` are of the whole of it, `body` is where its content begins."""

    kind: bytes
    offset: int
    size: int
    body: int

    @property
    def end(self) -> int:
        """Offset of the first byte after the box."""
        return self.offset + self.size


class SampleEntry(NamedTuple):
    """What decodes the sound. `pre_skip` is Opus's priming in samples, 0 for AAC."""

    codec: Literal["aac", "opus"]
    codecs: str
    channels: int
    pre_skip: int


class MovieFragment(NamedTuple):
    """A moof: its first sample's time, its length in samples and its media bytes."""

    decode_time: int
    samples: int
    media_size: int


@dataclass(frozen=True, slots=True)
class CmafIndex:
    """What stands where in a rendition's file. `segments` are those that its `sidx` names."""

    entry: SampleEntry
    has_edit_list: bool
    size_bytes: int
    init: ByteRange
    sidx: ByteRange
    fragments: tuple[Piece, ...]
    segments: tuple[Piece, ...]

    @property
    def samples(self) -> int:
        """Length of the sound in samples."""
        return sum(fragment.samples for fragment in self.fragments)


def read_cmaf(path: Path) -> CmafIndex:
    """Index the file at *path*.

    Raises TrackFormatError for anything but `ftyp moov sidx (moof mdat)+` of one 48 kHz track whose
    times begin at 0 and follow on each other, and OSError where the file cannot be read.
    """
    with path.open("rb") as file:
        return _Reader(file, path.name).read()


class _Reader:
    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name

    def read(self) -> CmafIndex:
        size_bytes = self._file.seek(0, 2)
        boxes = self._top_boxes(size_bytes)
        ftyp = self._next(boxes, b"ftyp")
        moov = self._next(boxes, b"moov")
        sidx = self._next(boxes, b"sidx")
        header = self._body(moov)
        entry = read_sample_entry(header, self._name)
        fragments = tuple(self._fragments(boxes))
        if not fragments:
            raise self._wrong("holds no fragments")
        return CmafIndex(
            entry=entry,
            has_edit_list=find_box(header, b"edts") is not None,
            size_bytes=size_bytes,
            init=ByteRange(offset=ftyp.offset, size=moov.end),
            sidx=ByteRange(offset=sidx.offset, size=sidx.size),
            fragments=fragments,
            segments=self._segments(sidx, fragments),
        )

    def _fragments(self, boxes: Iterator[Box]) -> Iterator[Piece]:
        time = 0
        for moof in boxes:
            if moof.kind != b"moof":
                raise self._wrong(f"byte {moof.offset}: {_shown(moof.kind)} stands where moof must")
            mdat = self._next(boxes, b"mdat")
            where = f"{self._name}: moof at byte {moof.offset}"
            fragment = read_movie_fragment(self._body(moof), moof.size, where)
            if fragment.decode_time != time:
                # CMAF (ISO/IEC 23000-19 7.3.2.2): no gap and no overlap between fragments.
                raise TrackFormatError(
                    where, f"begins at sample {fragment.decode_time} instead of {time}"
                )
            # The 8 bytes are the mdat's header: its sound begins directly after them.
            if fragment.media_size != mdat.size - 8:
                raise TrackFormatError(
                    where, f"names {fragment.media_size} bytes, its mdat has {mdat.size - 8}"
                )
            yield Piece(moof.offset, moof.size + mdat.size, fragment.samples)
            time += fragment.samples

    def _segments(self, sidx: Box, fragments: tuple[Piece, ...]) -> tuple[Piece, ...]:
        """Read the sidx (8.16.3) and check each of its references against the fragments."""
        where = f"{self._name}: sidx"
        body = self._body(sidx)
        (version,) = _unpack(">B", body, 0, where)
        _, timescale = _unpack(">II", body, 4, where)
        times = ">II" if version == 0 else ">QQ"
        earliest, first_offset = _unpack(times, body, 12, where)
        if (timescale, earliest, first_offset) != (SAMPLE_RATE_HZ, 0, 0):
            raise TrackFormatError(
                where, f"has timescale {timescale}, time {earliest}, offset {first_offset}"
            )
        at = 12 + struct.calcsize(times)
        (count,) = _unpack(">H", body, at + 2, where)
        segments = []
        left = iter(fragments)
        offset = sidx.end
        for index in range(count):
            size, samples, _ = _unpack(">III", body, at + 4 + 12 * index, where)
            if size >> 31:
                raise TrackFormatError(where, f"reference {index} points to another sidx")
            reached = covered = 0
            for fragment in left:
                reached += fragment.size
                covered += fragment.samples
                if reached >= size:
                    break
            if (reached, covered) != (size, samples):
                raise TrackFormatError(
                    where,
                    f"reference {index} has {size} bytes and {samples} samples, "
                    f"its fragments have {reached} and {covered}",
                )
            segments.append(Piece(offset, size, samples))
            offset += size
        if next(left, None) is not None:
            raise TrackFormatError(where, f"ends at byte {offset}, before the last fragment")
        return tuple(segments)

    def _top_boxes(self, size_bytes: int) -> Iterator[Box]:
        offset = 0
        while offset < size_bytes:
            self._file.seek(offset)
            box = read_box_header(self._file.read(16), offset)
            if box is None or box.end > size_bytes:
                raise self._wrong(f"byte {offset}: the box does not end within the file")
            yield box
            offset = box.end

    def _next(self, boxes: Iterator[Box], kind: bytes) -> Box:
        box = next(boxes, None)
        if box is None:
            raise self._wrong(f"ends where {_shown(kind)} must stand")
        if box.kind != kind:
            found = f"byte {box.offset}: {_shown(box.kind)}"
            raise self._wrong(f"{found} stands where {_shown(kind)} must")
        return box

    def _body(self, box: Box) -> bytes:
        if box.size > _LARGEST_INDEX_BOX:
            raise self._wrong(f"byte {box.offset}: {_shown(box.kind)} claims {box.size} bytes")
        self._file.seek(box.body)
        return self._file.read(box.end - box.body)

    def _wrong(self, message: str) -> TrackFormatError:
        return TrackFormatError(self._name, message)


def read_box_header(data: bytes, offset: int) -> Box | None:
    """Read the header at the start of *data* (4.2), which lies at *offset*; None if it is no box.

    A box that runs "to the end of the file" (size 0) is None too: it could not be followed.
    """
    if len(data) < 8:
        return None
    size, kind = struct.unpack_from(">I4s", data)
    body = 8
    if size == 1:
        if len(data) < 16:
            return None
        (size,) = struct.unpack_from(">Q", data, 8)
        body = 16
    return None if size < body else Box(kind, offset, size, offset + body)


def child_boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    """Yield boxes that follow each other in ``data[start:end]``; ends at what is no whole box."""
    while start < end:
        box = read_box_header(data[start : start + 16], start)
        if box is None or box.end > end:
            return
        yield box
        start = box.end


def find_box(data: bytes, kind: bytes, start: int = 0, end: int | None = None) -> Box | None:
    """Return the first *kind* in ``data[start:end]``, looking into the containers of a moov."""
    for box in child_boxes(data, start, len(data) if end is None else end):
        if box.kind == kind:
            return box
        if box.kind in _CONTAINERS:
            found = find_box(data, kind, box.body, box.end)
            if found is not None:
                return found
    return None


def sample_entry_box(moov: bytes, where: str) -> Box:
    """Find the one sample entry (8.5.2) in the body of a moov; raises TrackFormatError."""
    if [box.kind for box in child_boxes(moov, 0, len(moov))].count(b"trak") != 1:
        raise TrackFormatError(where, "does not hold exactly one track")
    stsd = find_box(moov, b"stsd")
    entries = [] if stsd is None else list(child_boxes(moov, stsd.body + 8, stsd.end))
    if len(entries) != 1:
        raise TrackFormatError(where, f"has {len(entries)} sample descriptions instead of one")
    return entries[0]


def read_sample_entry(moov: bytes, where: str) -> SampleEntry:
    """Read what the sound is coded in, from the body of a moov; raises TrackFormatError."""
    mdhd = find_box(moov, b"mdhd")
    if mdhd is None:
        raise TrackFormatError(where, "has no mdhd")
    (version,) = _unpack(">B", moov, mdhd.body, where)
    (timescale,) = _unpack(">I", moov, mdhd.body + (12 if version == 0 else 20), where)
    if timescale != SAMPLE_RATE_HZ:
        raise TrackFormatError(where, f"has timescale {timescale} instead of {SAMPLE_RATE_HZ}")
    entry = sample_entry_box(moov, where)
    for box in child_boxes(moov, entry.body + AUDIO_SAMPLE_ENTRY_SIZE, entry.end):
        content = moov[box.body : box.end]
        if entry.kind == b"mp4a" and box.kind == b"esds":
            return _read_esds(content, where)
        if entry.kind == b"Opus" and box.kind == b"dOps":
            # Opus in ISOBMFF 4.3.2: Version, OutputChannelCount, PreSkip.
            _, channels, pre_skip = _unpack(">BBH", content, 0, where)
            return SampleEntry("opus", "opus", channels, pre_skip)
    raise TrackFormatError(where, f"is coded as {_shown(entry.kind)}; only AAC and Opus are read")


def _read_esds(content: bytes, where: str) -> SampleEntry:
    """ES_Descriptor (ISO/IEC 14496-1 7.2.6.5) down to the AudioSpecificConfig (14496-3 1.6.2.1)."""
    at = _descriptor(content, 4, 0x03, where)
    (flags,) = _unpack(">B", content, at + 2, where)
    if flags & 0xE0:
        raise TrackFormatError(where, "has an ES_Descriptor with optional fields")
    at = _descriptor(content, at + 3, 0x04, where)
    (object_type,) = _unpack(">B", content, at, where)
    at = _descriptor(content, at + 13, 0x05, where)
    (config,) = _unpack(">H", content, at, where)
    audio_object, rate_index, channels = config >> 11, config >> 7 & 0xF, config >> 3 & 0xF
    # 14496-3 table 1.18: index 3 is 48,000 Hz.
    if rate_index != 3:
        raise TrackFormatError(where, f"has AAC sampling frequency index {rate_index}, not 48 kHz")
    # RFC 6381 3.3: the object type in hex, the audio object type in decimal.
    return SampleEntry("aac", f"mp4a.{object_type:02x}.{audio_object}", channels, 0)


def _descriptor(content: bytes, at: int, tag: int, where: str) -> int:
    """Return where the content of the descriptor with *tag* at *at* begins (14496-1 8.3.3)."""
    (found,) = _unpack(">B", content, at, where)
    if found != tag:
        raise TrackFormatError(where, f"has descriptor {found} where {tag} must stand in its esds")
    # The size is written in 7 bits a byte, the top bit saying that more follow.
    more = 0x80
    while more & 0x80:
        at += 1
        (more,) = _unpack(">B", content, at, where)
    return at + 1


def read_movie_fragment(body: bytes, moof_size: int, where: str) -> MovieFragment:
    """Read the body of a moof (8.8.4) of *moof_size* bytes; raises TrackFormatError.

    It must have one traf with one trun whose sound begins directly after the mdat's header, at an
    offset that counts from the moof (8.8.7), so that the fragment may be moved in the file.
    """
    trafs = [box for box in child_boxes(body, 0, len(body)) if box.kind == b"traf"]
    if len(trafs) != 1:
        raise TrackFormatError(where, f"has {len(trafs)} traf instead of one")
    found = {box.kind: box for box in child_boxes(body, trafs[0].body, trafs[0].end)}
    if not {b"tfhd", b"tfdt", b"trun"} <= found.keys():
        raise TrackFormatError(where, "lacks tfhd, tfdt or trun")
    duration, size = _read_tfhd(body, found[b"tfhd"], where)
    tfdt = found[b"tfdt"]
    (version,) = _unpack(">B", body, tfdt.body, where)
    (decode_time,) = _unpack(">Q" if version else ">I", body, tfdt.body + 4, where)
    samples, media_size = _read_trun(body, found[b"trun"], duration, size, moof_size, where)
    return MovieFragment(decode_time, samples, media_size)


def _read_tfhd(body: bytes, tfhd: Box, where: str) -> tuple[int | None, int | None]:
    (flags,) = _unpack(">I", body, tfhd.body, where)
    if flags & _TFHD_BASE_DATA_OFFSET or not flags & _TFHD_BASE_IS_MOOF:
        raise TrackFormatError(where, "counts its offsets from elsewhere than the moof")
    at = tfhd.body + 8
    if flags & _TFHD_DESCRIPTION_INDEX:
        at += 4
    duration = size = None
    if flags & _TFHD_DURATION:
        (duration,) = _unpack(">I", body, at, where)
        at += 4
    if flags & _TFHD_SIZE:
        (size,) = _unpack(">I", body, at, where)
    return duration, size


def _read_trun(
    body: bytes, trun: Box, duration: int | None, size: int | None, moof_size: int, where: str
) -> tuple[int, int]:
    flags, count = _unpack(">II", body, trun.body, where)
    flags &= 0xFFFFFF
    if flags & _TRUN_COMPOSITION:
        raise TrackFormatError(where, "has composition offsets, which sound never needs")
    at = trun.body + 8
    if flags & _TRUN_DATA_OFFSET:
        (data_offset,) = _unpack(">i", body, at, where)
        at += 4
        if data_offset != moof_size + 8:
            raise TrackFormatError(where, f"its sound begins at {data_offset} of the moof")
    if flags & _TRUN_FIRST_FLAGS:
        at += 4
    fields = [bool(flags & bit) for bit in (_TRUN_DURATION, _TRUN_SIZE, _TRUN_FLAGS)]
    width = sum(fields)
    table = _unpack(f">{count * width}I", body, at, where)
    total_duration = _total(table[::width] if fields[0] else None, duration, count)
    total_size = _total(table[int(fields[0]) :: width] if fields[1] else None, size, count)
    if total_duration is None or total_size is None:
        raise TrackFormatError(where, "does not say how long or how large its samples are")
    return total_duration, total_size


def _total(column: tuple[int, ...] | None, default: int | None, count: int) -> int | None:
    if column is not None:
        return sum(column)
    return None if default is None else default * count


def _unpack(form: str, data: bytes, offset: int, where: str) -> tuple[int, ...]:
    try:
        return struct.unpack_from(form, data, offset)
    except struct.error as error:
        raise TrackFormatError(where, f"ends within a field at byte {offset} of a box") from error


def _shown(kind: bytes) -> str:
    return repr(kind.decode("ascii", "replace"))
