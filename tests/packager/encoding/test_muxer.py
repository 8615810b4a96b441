"""The rendition's file: our boxes around the encoder's packets."""

from __future__ import annotations

from pathlib import Path

import pytest

from media.cmaf import read_cmaf
from media.errors import TrackFormatError
from media.grid import FRAGMENT_SAMPLES
from media.track import group_segments
from packager.encoding.boxes import segment_index_size
from packager.encoding.boxing import full_box
from packager.encoding.ladder import DEFAULT_LADDER, parse_ladder
from packager.encoding.muxer import Muxer
from packager.encoding.packets import PacketRun
from packager.encoding.renditions import Recipe, encode_rendition
from packager.ffmpeg import Tools
from tests.packager.conftest import Made

LENGTH = 399_360


def _muxer(path: Path, recipe: Recipe) -> Muxer:
    return Muxer(path, parse_ladder(["opus-24k"])[0], LENGTH, recipe.language, recipe.loudness)


async def test_same_sound_gives_the_same_bytes(
    made: Made, recipe: Recipe, tools: Tools, tmp_path: Path
) -> None:
    """A second run writes the file that the first one wrote, to the byte."""
    path = tmp_path / "again.mp4"
    await encode_rendition(recipe, parse_ladder(["aac-32k"])[0], path, tools, lambda _: None)
    assert path.read_bytes() == made.file("aac-32k").read_bytes()


@pytest.mark.parametrize("name", DEFAULT_LADDER)
def test_fragments_and_segments_are_on_the_grid(made: Made, name: str) -> None:
    """Every rendition has the same fragments, and its sidx names runs of six of them."""
    index = read_cmaf(made.file(name))
    assert [piece.samples for piece in index.fragments] == [FRAGMENT_SAMPLES] * 8 + [30_720]
    assert index.segments == group_segments(index.fragments)
    assert index.sidx.size == segment_index_size(2)
    assert not index.has_edit_list
    assert index.entry.pre_skip == 0


def test_init_segment_says_what_it_must_and_no_more(made: Made) -> None:
    """The movie header has the length in mehd, the language in elng, and nothing to interpret."""
    content = made.file("opus-24k").read_bytes()
    init = content[: read_cmaf(made.file("opus-24k")).init.size]
    assert init[:32] == b"\x00\x00\x00\x20ftypiso6\0\0\0\0iso6cmfcdashmp41"
    assert full_box(b"elng", 0, 0, b"en\0") in init
    assert full_box(b"mehd", 1, 0, LENGTH.to_bytes(8, "big")) in init
    assert b"edts" not in init
    assert b"btrt" not in init


def test_loudness_stands_in_every_file(made: Made) -> None:
    """A player reads -18.25 LUFS, a range of 6 LU and a true peak of -2.5 dBTP."""
    tlou = full_box(b"tlou", 0, 0, bytes.fromhex("0000 0002d023 02 019e13 061813"))
    for name in DEFAULT_LADDER:
        assert tlou in made.file(name).read_bytes()[:2000]


def test_opus_packets_are_in_a_roll_group(made: Made) -> None:
    """A decoder is told to begin four packets early, in each fragment; AAC needs no such thing."""
    opus = made.file("opus-48k").read_bytes()
    assert full_box(b"sgpd", 1, 0, b"roll", bytes.fromhex("00000002 00000001 fffc")) in opus
    group = full_box(b"sbgp", 0, 0, b"roll", bytes.fromhex("00000001 00000030 00000001"))
    assert opus.count(group) == 8
    assert b"roll" not in made.file("aac-64k").read_bytes()[:4000]


def test_too_few_packets_are_no_rendition(recipe: Recipe, tmp_path: Path, made: Made) -> None:
    """A sound that ends before its promised length is found when the file is closed."""
    moov = _moov(made)
    with _muxer(tmp_path / "few.mp4", recipe) as muxer:
        muxer.add(PacketRun(moov, 0, 960, (3,), b"abc"))
        with pytest.raises(TrackFormatError, match="has 960 samples instead of 399360"):
            muxer.finish()


def test_packet_out_of_its_place_is_refused(recipe: Recipe, tmp_path: Path, made: Made) -> None:
    """A hole in the encoder's times would move all that follows."""
    moov = _moov(made)
    with _muxer(tmp_path / "hole.mp4", recipe) as muxer:
        muxer.add(PacketRun(moov, 0, 960, (3,), b"abc"))
        with pytest.raises(TrackFormatError, match="at 1920 stands where 960 must"):
            muxer.add(PacketRun(moov, 1920, 960, (3,), b"abc"))


def _moov(made: Made) -> bytes:
    """The body of some moov with an Opus description in it."""
    content = made.file("opus-24k").read_bytes()
    at = content.index(b"moov")
    size = int.from_bytes(content[at - 4 : at], "big")
    return content[at + 4 : at - 4 + size]
