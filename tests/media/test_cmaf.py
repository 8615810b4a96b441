"""The strict reader, on a really encoded file and on what can be wrong with one."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.cmaf import CmafIndex, read_cmaf
from media.errors import TrackFormatError
from media.track import Rendition, Track
from tests.sounds import publish_short_track


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Storage folder of this file's track."""
    return tmp_path_factory.mktemp("published") / "media"


@pytest.fixture(scope="module")
def track(root: Path) -> Track:
    """Seven seconds in AAC and Opus."""
    return asyncio.run(publish_short_track(root, "film", seconds=7.0))


def _content(root: Path, track: Track, name: str) -> bytes:
    return (root / track.prefix / f"{name}.mp4").read_bytes()


def _read(folder: Path, content: bytes) -> CmafIndex:
    path = folder / "changed.mp4"
    path.write_bytes(content)
    return read_cmaf(path)


def _inserted_in_trak(content: bytes, box: bytes) -> bytes:
    """Put *box* behind the tkhd, and let trak and moov grow by it."""
    at = content.index(b"tkhd") - 4
    (size,) = struct.unpack_from(">I", content, at)
    grown = bytearray(content[: at + size] + box + content[at + size :])
    for kind in (b"moov", b"trak"):
        start = grown.index(kind) - 4
        (old,) = struct.unpack_from(">I", grown, start)
        struct.pack_into(">I", grown, start, old + len(box))
    return bytes(grown)


def test_index_is_what_track_json_has(root: Path, track: Track) -> None:
    """Ranges, pieces and codec strings of both codecs."""
    for rendition in track.renditions:
        index = read_cmaf(root / track.prefix / rendition.file_name)
        assert _of(index) == _of_rendition(rendition)
        assert index.samples == track.duration_samples
        assert not index.has_edit_list
        assert index.entry.pre_skip == 0
        assert index.sidx.offset == index.init.size
        assert index.fragments[0].offset == index.sidx.offset + index.sidx.size


def _of(index: CmafIndex) -> tuple[object, ...]:
    entry = index.entry
    return (
        entry.codec,
        entry.codecs,
        entry.channels,
        index.size_bytes,
        index.init,
        index.fragments,
        index.segments,
    )


def _of_rendition(rendition: Rendition) -> tuple[object, ...]:
    return (
        rendition.codec,
        rendition.codecs,
        rendition.channels,
        rendition.size_bytes,
        rendition.init,
        rendition.fragments,
        rendition.segments,
    )


def test_edit_list_is_seen(root: Path, track: Track, tmp_path: Path) -> None:
    """An edts box anywhere in the track is reported."""
    elst = struct.pack(">I4sIIIiI", 28, b"elst", 0, 1, 0, 1024, 0x10000)
    edts = struct.pack(">I4s", 8 + len(elst), b"edts") + elst
    content = _inserted_in_trak(_content(root, track, "aac-64k"), edts)
    assert _read(tmp_path, content).has_edit_list


def test_pre_skip_is_seen(root: Path, track: Track, tmp_path: Path) -> None:
    """Opus's priming is reported in samples."""
    content = bytearray(_content(root, track, "opus-48k"))
    struct.pack_into(">H", content, content.index(b"dOps") + 6, 312)
    assert _read(tmp_path, bytes(content)).entry.pre_skip == 312


@pytest.mark.parametrize("missing", [1, 9, 5_000, 40_000])
def test_truncated_file_is_refused(root: Path, track: Track, tmp_path: Path, missing: int) -> None:
    """A file that lacks its end says at which byte the trouble begins."""
    content = _content(root, track, "aac-64k")
    with pytest.raises(TrackFormatError, match=r"changed\.mp4: .*byte"):
        _read(tmp_path, content[:-missing])


def test_lost_fragment_is_refused(root: Path, track: Track, tmp_path: Path) -> None:
    """A gap in the times is named with both samples."""
    content = _content(root, track, "aac-64k")
    lost = track.renditions[0].fragments[2]
    with pytest.raises(TrackFormatError, match="begins at sample 138240 instead of 92160"):
        _read(tmp_path, content[: lost.offset] + content[lost.offset + lost.size :])


def _changed(content: bytes, box: bytes, at: int, form: str, value: int) -> bytes:
    changed = bytearray(content)
    struct.pack_into(form, changed, changed.index(box) + 4 + at, value)
    return bytes(changed)


@pytest.mark.parametrize(
    ("box", "at", "form", "value", "said"),
    [
        (b"tfdt", 4, ">Q", 1024, "begins at sample 1024 instead of 0"),
        (b"tfhd", 0, ">I", 0x000039, "elsewhere than the moof"),
        (b"tfhd", 0, ">I", 0x000038, "elsewhere than the moof"),
        (b"trun", 8, ">I", 4, "its sound begins at 4"),
        (b"trun", 4, ">I", 44, r"names \d+ bytes, its mdat has"),
        (b"sidx", 8, ">I", 44_100, "timescale 44100"),
        (b"sidx", 12, ">I", 1024, "time 1024"),
        (b"sidx", 22, ">H", 1, "before the last fragment"),
        (b"sidx", 24, ">I", 77, "reference 0 has 77 bytes"),
        (b"sidx", 24, ">I", 0x80000077, "points to another sidx"),
        (b"mdhd", 12, ">I", 44_100, "timescale 44100"),
        (b"mp4a", -4, ">4s", 0, "coded as"),
        (b"moof", -4, ">4s", 0, "stands where moof must"),
        (b"mdat", -4, ">4s", 0, "stands where 'mdat' must"),
        (b"sidx", -4, ">4s", 0, "stands where 'sidx' must"),
    ],
)
def test_wrong_field_is_refused(
    root: Path, track: Track, tmp_path: Path, box: bytes, at: int, form: str, value: int, said: str
) -> None:
    """Each field that a player would stumble over is refused with what it is."""
    content = _content(root, track, "aac-64k")
    if form == ">4s":
        content = content.replace(box, b"xxxx", 1)
    else:
        content = _changed(content, box, at, form, value)
    with pytest.raises(TrackFormatError, match=said):
        _read(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "ends where 'ftyp' must stand"),
        (b"RIFF and so on, not a movie at all", "byte 0"),
        (struct.pack(">I4s", 8, b"ftyp"), "ends where 'moov' must stand"),
        (struct.pack(">I4s", 0, b"ftyp"), "byte 0"),
        (struct.pack(">I4s", 1, b"ftyp"), "byte 0"),
    ],
)
def test_what_is_no_track_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    """Any file is either read or refused."""
    with pytest.raises(TrackFormatError, match=said):
        _read(tmp_path, content)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.integers(0, 1400), garbage=st.binary(min_size=1, max_size=8))
def test_damage_is_refused_or_harmless(
    root: Path, track: Track, tmp_path: Path, at: int, garbage: bytes
) -> None:
    """Whatever stands in the boxes before the sound, the reader answers or raises its own error."""
    content = bytearray(_content(root, track, "opus-48k"))
    content[at : at + len(garbage)] = garbage
    try:
        index = _read(tmp_path, bytes(content))
    except TrackFormatError:
        return
    assert sum(piece.size for piece in index.fragments) < index.size_bytes
