"""Forgiving reader of init segments and fragments, anybody's: it reports what is there.

media/cmaf.py refuses what is not of Tell's form; a linter has to read on. Sections named without a
document are those of ISO/IEC 14496-12.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from media.cmaf import (
    AUDIO_SAMPLE_ENTRY_SIZE,
    Box,
    child_boxes,
    find_box,
    read_box_header,
    read_movie_fragment,
)
from media.errors import TrackFormatError

# Boxes that may stand beside the fragments of a media segment (ISO/IEC 23000-19 7.3.2.3).
_BESIDE = frozenset({b"styp", b"sidx", b"prft", b"emsg", b"free", b"skip"})
# 14496-3 table 1.18.
_AAC_RATES_HZ = (
    96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class InitHeader:
    """What an init segment says.

    `codecs` is the RFC 6381 string of its sample entry, `language` the elng's tag, else the mdhd's
    three letters. `pre_skip` is Opus's, 0 for others.
    """

    brands: tuple[str, ...]
    tracks: int
    codecs: str
    channels: int
    sample_rate_hz: int
    timescale: int
    pre_skip: int
    has_edit_list: bool
    has_loudness: bool
    language: str


class FragmentBoxes(NamedTuple):
    """A fragment: its first sample's time and its length in samples of the timescale."""

    decode_time: int
    samples: int
    size: int


class IndexBox(NamedTuple):
    """A sidx (8.16.3): size in bytes and duration of each reference, and its offset."""

    references: tuple[tuple[int, int], ...]
    timescale: int
    first_offset: int


def read_init(data: bytes) -> tuple[InitHeader, bool]:
    """Read an init segment, and whether it is ftyp and moov alone; raises TrackFormatError."""
    boxes = list(_whole_boxes(data, "the init segment"))
    kinds = [box.kind for box in boxes]
    if b"moov" not in kinds:
        raise TrackFormatError("the init segment", f"has no moov but {_list(kinds)}")
    moov = data[boxes[kinds.index(b"moov")].body : boxes[kinds.index(b"moov")].end]
    brands: tuple[str, ...] = ()
    if b"ftyp" in kinds:
        ftyp = boxes[kinds.index(b"ftyp")]
        # major_brand, minor_version, then compatible_brands (4.3).
        words = [data[at : at + 4] for at in range(ftyp.body, ftyp.end, 4)]
        brands = tuple(word.decode("ascii", "replace") for word in words[:1] + words[2:])
    return _read_moov(moov, brands), kinds == [b"ftyp", b"moov"]


def read_segment(data: bytes) -> tuple[FragmentBoxes, ...]:
    """Fragments of a media segment; raises TrackFormatError where it is not whole fragments."""
    found: list[FragmentBoxes] = []
    moof: Box | None = None
    for box in _whole_boxes(data, "the segment"):
        where = f"byte {box.offset} of the segment"
        if box.kind == b"moof" and moof is None:
            moof = box
        elif box.kind == b"mdat" and moof is not None:
            fragment = read_movie_fragment(data[moof.body : moof.end], moof.size, where)
            size = moof.size + box.size
            found.append(FragmentBoxes(fragment.decode_time, fragment.samples, size))
            moof = None
        elif box.kind not in _BESIDE:
            raise TrackFormatError(where, f"has {_list([box.kind])} where it has no place")
    if moof is not None or not found:
        raise TrackFormatError("the segment", "ends before the mdat of its last fragment")
    return tuple(found)


def read_index(data: bytes) -> IndexBox | None:
    """First sidx in *data*; None where there is none. Raises TrackFormatError for a damaged one."""
    sidx = next((b for b in child_boxes(data, 0, len(data)) if b.kind == b"sidx"), None)
    if sidx is None:
        return None
    version = data[sidx.body]
    (timescale,) = _unpack(">I", data, sidx.body + 8)
    _, first_offset = _unpack(">QQ" if version else ">II", data, sidx.body + 12)
    at = sidx.body + (28 if version else 20)
    (count,) = _unpack(">H", data, at + 2)
    table = _unpack(f">{3 * count}I", data, at + 4)
    references = tuple(zip(table[::3], table[1::3], strict=True))
    return IndexBox(references, timescale, first_offset + len(data) - sidx.end)


def _whole_boxes(data: bytes, where: str) -> Iterator[Box]:
    at = 0
    while at < len(data):
        box = read_box_header(data[at : at + 16], at)
        if box is None or box.end > len(data):
            raise TrackFormatError(where, f"byte {at} begins no box that ends within it")
        yield box
        at = box.end


def _read_moov(moov: bytes, brands: tuple[str, ...]) -> InitHeader:
    where = "the init segment"
    tracks = [box.kind for box in child_boxes(moov, 0, len(moov))].count(b"trak")
    mdhd, stsd = find_box(moov, b"mdhd"), find_box(moov, b"stsd")
    if mdhd is None or stsd is None:
        raise TrackFormatError(where, "has no mdhd or no stsd")
    entry = next(child_boxes(moov, stsd.body + 8, stsd.end), None)
    if entry is None:
        raise TrackFormatError(where, "has no sample entry")
    is_long = moov[mdhd.body] == 1
    (timescale,) = _unpack(">I", moov, mdhd.body + (20 if is_long else 12))
    (letters,) = _unpack(">H", moov, mdhd.body + (32 if is_long else 20))
    # AudioSampleEntry (12.2.3): channelcount at 16, samplerate as 16.16 at 24.
    (channels,) = _unpack(">H", moov, entry.body + 16)
    (rate,) = _unpack(">I", moov, entry.body + 24)
    codecs, pre_skip = entry.kind.decode("ascii", "replace"), 0
    sample_rate_hz = rate >> 16
    for box in child_boxes(moov, entry.body + AUDIO_SAMPLE_ENTRY_SIZE, entry.end):
        if box.kind == b"esds":
            codecs, channels, sample_rate_hz = _read_esds(moov[box.body : box.end], channels)
        elif box.kind == b"dOps":
            # Opus in ISOBMFF 4.3.2: Version, OutputChannelCount, PreSkip; it decodes at 48 kHz.
            _, channels, pre_skip = _unpack(">BBH", moov, box.body)
            codecs, sample_rate_hz = "opus", 48_000
    return InitHeader(
        brands=brands,
        tracks=tracks,
        codecs=codecs,
        channels=channels,
        sample_rate_hz=sample_rate_hz,
        timescale=timescale,
        pre_skip=pre_skip,
        has_edit_list=find_box(moov, b"elst") is not None,
        has_loudness=_has_loudness(moov),
        language=_language(moov, letters),
    )


def _read_esds(content: bytes, channels: int) -> tuple[str, int, int]:
    """Codec string, channels and rate from an ES_Descriptor (ISO/IEC 14496-1 7.2.6.5)."""
    at = _descriptor(content, 4, 0x03)
    (flags,) = _unpack(">B", content, at + 2)
    at += 3 + (2 if flags & 0x80 else 0) + (2 if flags & 0x20 else 0)
    at = _descriptor(content, at, 0x04)
    (object_type,) = _unpack(">B", content, at)
    at = _descriptor(content, at + 13, 0x05)
    (config,) = _unpack(">H", content, at)
    rate_index = config >> 7 & 0xF
    rate_hz = _AAC_RATES_HZ[rate_index] if rate_index < len(_AAC_RATES_HZ) else 0
    # RFC 6381 3.3: the object type in hex, the audio object type in decimal.
    return f"mp4a.{object_type:02x}.{config >> 11}", config >> 3 & 0xF or channels, rate_hz


def _descriptor(content: bytes, at: int, tag: int) -> int:
    """Offset of the content of the descriptor with *tag* at *at* (14496-1 8.3.3)."""
    (found,) = _unpack(">B", content, at)
    if found != tag:
        raise TrackFormatError("the init segment", f"has descriptor {found} in its esds, not {tag}")
    more = 0x80
    while more & 0x80:
        at += 1
        (more,) = _unpack(">B", content, at)
    return at + 1


def _has_loudness(moov: bytes) -> bool:
    """Whether the track's udta holds a ludt (12.2.7)."""
    trak = find_box(moov, b"trak")
    if trak is None:
        return False
    for udta in child_boxes(moov, trak.body, trak.end):
        if udta.kind == b"udta":
            return any(b.kind == b"ludt" for b in child_boxes(moov, udta.body, udta.end))
    return False


def _language(moov: bytes, letters: int) -> str:
    elng = find_box(moov, b"elng")
    if elng is not None:
        return moov[elng.body + 4 : elng.end].rstrip(b"\0").decode("ascii", "replace")
    # Three letters, each less 0x60 in five bits (8.4.2.3).
    return "".join(chr(0x60 + (letters >> shift & 0x1F)) for shift in (10, 5, 0))


def _list(kinds: list[bytes]) -> str:
    return ", ".join(repr(kind.decode("ascii", "replace")) for kind in kinds) or "nothing"


def _unpack(form: str, data: bytes, offset: int) -> tuple[int, ...]:
    try:
        return struct.unpack_from(form, data, offset)
    except struct.error as error:
        raise TrackFormatError("a box", f"ends within a field at byte {offset}") from error
