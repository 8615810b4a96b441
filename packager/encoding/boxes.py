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
from media.track import Loudness, Piece
from packager.encoding.boxing import box, full_box
from packager.encoding.ladder import OPUS_PACKET_SAMPLES
from packager.encoding.loudness_box import loudness_box

_TRACK_ID = 1
# Identity (8.3.2): 16.16 fixed point, the last one 2.30.
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
# ISO 639-2 "und", each letter less 0x60 in five bits (8.4.2); the tag itself stands in elng.
_UNDETERMINED = (0x15 << 10) | (0x0E << 5) | 0x04
# starts_with_SAP = 1, SAP_type = 1, no delta: every segment can be begun at (8.16.3.3).
_STARTS_WITH_SAP = 0x90000000
# A decoder that begins within an Opus stream needs 80 ms before it sounds right (RFC 7845 4.6;
# Opus in ISOBMFF 4.3.6.2), so its samples are in a group that says so.
_OPUS_ROLL_PACKETS = SAMPLE_RATE_HZ * 80 // 1000 // OPUS_PACKET_SAMPLES
# tfhd (8.8.7): offsets count from the moof; every sample has the same duration and flags.
_TFHD_FLAGS = 0x020000 | 0x000008 | 0x000020
# sample_depends_on = 2, and not a non-sync sample: every packet can be begun at (8.8.3).
_SYNC_SAMPLE = 0x02000000
# trun (8.8.8): where the data begins, and the size of each sample.
_TRUN_FLAGS = 0x000001 | 0x000200


def file_type() -> bytes:
    """File type box (4.3): iso6 for tfdt and offsets from the moof, cmfc: CMAF, dash: sidx."""
    return box(b"ftyp", b"iso6", struct.pack(">I", 0), b"iso6", b"cmfc", b"dash", b"mp41")


def movie_header(
    encoder_moov: bytes,
    length_samples: int,
    language: str,
    where: str,
    loudness: Loudness | None = None,
) -> bytes:
    """Write the moov for a sound of *length_samples*, without an edit list.

    *loudness* goes into a loudness box where it is known. What decodes the sound is taken from the
    body of the encoder's moov, but Opus's PreSkip becomes 0: its priming is gone. Raises
    TrackFormatError where that moov is of another form.
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
        *([_roll_description()] if entry[4:8] == b"Opus" else []),
    )
    # Flag 1: the media is in this file (8.7.2).
    dinf = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    minf = box(b"minf", full_box(b"smhd", 0, 0, bytes(4)), dinf, stbl)
    mdia = box(b"mdia", mdhd, elng, hdlr, minf)
    # Loudness stands in the track's user data (12.2.7.1).
    udta = b"" if loudness is None else box(b"udta", loudness_box(loudness))
    trak = box(b"trak", tkhd, mdia, udta)
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


def movie_fragment(
    number: int, decode_time: int, packet_samples: int, sizes: Sequence[int], *, opus: bool
) -> bytes:
    """Write the moof (8.8.4) of packets with *sizes* whose mdat follows it directly.

    *number* counts fragments from 1, *decode_time* is the first packet's time in samples.
    """
    mfhd = full_box(b"mfhd", 0, 0, struct.pack(">I", number))
    tfhd = full_box(
        b"tfhd", 0, _TFHD_FLAGS, struct.pack(">III", _TRACK_ID, packet_samples, _SYNC_SAMPLE)
    )
    tfdt = full_box(b"tfdt", 1, 0, struct.pack(">Q", decode_time))
    group = _roll_group(len(sizes)) if opus else b""
    trun_size = 20 + 4 * len(sizes)
    # Headers of moof and traf, then the mdat's own eight bytes.
    data_offset = 8 + len(mfhd) + 8 + len(tfhd) + len(tfdt) + trun_size + len(group) + 8
    table = struct.pack(f">Ii{len(sizes)}I", len(sizes), data_offset, *sizes)
    trun = full_box(b"trun", 0, _TRUN_FLAGS, table)
    return box(b"moof", mfhd, box(b"traf", tfhd, tfdt, trun, group))


def media_data_header(size: int) -> bytes:
    """Header of an mdat (8.1.1) with *size* bytes of sound."""
    return struct.pack(">I4s", 8 + size, b"mdat")


def _roll_description() -> bytes:
    """AudioRollRecoveryEntry (10.1) in a SampleGroupDescriptionBox (8.9.3) of version 1."""
    return full_box(b"sgpd", 1, 0, b"roll", struct.pack(">IIh", 2, 1, -_OPUS_ROLL_PACKETS))


def _roll_group(samples: int) -> bytes:
    """SampleToGroupBox (8.9.2): all *samples* of the fragment belong to the moov's description."""
    return full_box(b"sbgp", 0, 0, b"roll", struct.pack(">III", 1, samples, 1))


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
