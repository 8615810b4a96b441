"""Writes the boxes before the fragments: file type, movie header and segment index.

Everything in them is ours and the same each time, so that equal sound gives equal bytes. Sections
named without a document are those of ISO/IEC 14496-12.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from media.cmaf import AUDIO_SAMPLE_ENTRY_SIZE, child_boxes, sample_entry_box
from media.errors import TrackFormatError
from media.grid import SAMPLE_RATE_HZ
from media.track import Piece

_TRACK_ID = 1
# Identity (8.3.2): 16.16 fixed point, the last one 2.30.
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
# ISO 639-2 "und", each letter less 0x60 in five bits (8.4.2); the tag itself stands in elng.
_UNDETERMINED = (0x15 << 10) | (0x0E << 5) | 0x04
# starts_with_SAP = 1, SAP_type = 1, no delta: every segment can be begun at (8.16.3.3).
_STARTS_WITH_SAP = 0x90000000


def box(kind: bytes, *content: bytes) -> bytes:
    """Join *content* to a box (4.2)."""
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, version: int, flags: int, *content: bytes) -> bytes:
    """Join *content* to a box with version and flags (4.2)."""
    return box(kind, struct.pack(">I", version << 24 | flags), *content)


def file_type() -> bytes:
    """File type box (4.3): iso6 for tfdt and offsets from the moof, cmfc: CMAF, dash: sidx."""
    return box(b"ftyp", b"iso6", struct.pack(">I", 0), b"iso6", b"cmfc", b"dash", b"mp41")


def movie_header(encoder_moov: bytes, length_samples: int, language: str, where: str) -> bytes:
    """Write the moov for a sound of *length_samples*, without an edit list.

    What decodes the sound is taken from the body of the encoder's moov, but Opus's PreSkip becomes
    0: its priming is gone. Raises TrackFormatError where that moov is of another form.
    """
    entry = _sample_entry(encoder_moov, where)
    # Creation and modification time 0: the same sound gives the same bytes.
    mvhd = full_box(
        b"mvhd",
        0,
        0,
        struct.pack(">4I", 0, 0, SAMPLE_RATE_HZ, 0),
        struct.pack(">IHHQ", 0x10000, 0x0100, 0, 0),  # rate 1, volume 1, reserved
        _MATRIX,
        bytes(24),
        struct.pack(">I", _TRACK_ID + 1),
    )
    # Flags 7: enabled, in the movie, in its preview.
    tkhd = full_box(
        b"tkhd",
        0,
        7,
        struct.pack(">5I", 0, 0, _TRACK_ID, 0, 0),
        struct.pack(">QHHHH", 0, 0, 0, 0x0100, 0),  # volume 1 marks sound
        _MATRIX,
        struct.pack(">II", 0, 0),
    )
    mdhd = full_box(b"mdhd", 0, 0, struct.pack(">4IHH", 0, 0, SAMPLE_RATE_HZ, 0, _UNDETERMINED, 0))
    elng = full_box(b"elng", 0, 0, language.encode() + b"\0")  # BCP 47 (8.4.6)
    hdlr = full_box(b"hdlr", 0, 0, bytes(4), b"soun", bytes(12), b"Audio description\0")
    # All samples are in fragments, so the tables of the moov are empty (8.8.1).
    stbl = box(
        b"stbl",
        full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry),
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
    # Flag 1: the media is in this file (8.7.2).
    dinf = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    minf = box(b"minf", full_box(b"smhd", 0, 0, bytes(4)), dinf, stbl)
    trak = box(b"trak", tkhd, box(b"mdia", mdhd, elng, hdlr, minf))
    # The length of all fragments together (8.8.2), so that a player knows it before the end.
    mehd = full_box(b"mehd", 1, 0, struct.pack(">Q", length_samples))
    trex = full_box(b"trex", 0, 0, struct.pack(">5I", _TRACK_ID, 1, 0, 0, 0))
    return box(b"moov", mvhd, trak, box(b"mvex", mehd, trex))


def segment_index_size(segments: int) -> int:
    """Size in bytes of a sidx that names *segments*."""
    return 32 + 12 * segments


def segment_index(segments: Sequence[Piece]) -> bytes:
    """Segment index box (8.16.3) of all media segments; the first begins directly after it."""
    references = b"".join(
        struct.pack(">III", segment.size, segment.samples, _STARTS_WITH_SAP) for segment in segments
    )
    # Version 0: earliest_presentation_time and first_offset are 0.
    head = struct.pack(">IIIIHH", _TRACK_ID, SAMPLE_RATE_HZ, 0, 0, 0, len(segments))
    return full_box(b"sidx", 0, 0, head, references)


def _sample_entry(encoder_moov: bytes, where: str) -> bytes:
    """AudioSampleEntry (12.2.3) with the decoder's configuration and nothing else.

    The encoder's `btrt` is left out: it holds what was asked for, not what was measured.
    """
    entry = sample_entry_box(encoder_moov, where)
    fields = encoder_moov[entry.body : entry.body + AUDIO_SAMPLE_ENTRY_SIZE]
    for child in child_boxes(encoder_moov, entry.body + AUDIO_SAMPLE_ENTRY_SIZE, entry.end):
        content = encoder_moov[child.body : child.end]
        if child.kind == b"dOps":
            # Opus in ISOBMFF 4.3.2: Version, OutputChannelCount, then PreSkip in 16 bits.
            content = content[:2] + b"\0\0" + content[4:]
        if child.kind in {b"esds", b"dOps"}:
            return box(entry.kind, fields, box(child.kind, content))
    raise TrackFormatError(where, "its sample description has neither esds nor dOps")
