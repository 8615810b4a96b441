"""The rendition's file: our boxes before the encoder's fragments."""

from __future__ import annotations

from pathlib import Path

import pytest

from media.cmaf import read_cmaf
from media.errors import TrackFormatError
from media.track import group_segments
from packager.boxes import full_box, segment_index, segment_index_size
from packager.encode import encode_command
from packager.ffmpeg import Tools, read_all
from packager.ladder import parse_ladder
from packager.mux import RenditionFile
from tests.packager.conftest import Published

LENGTH = 399_360


async def _encoded(speech: Path, tools: Tools, name: str) -> bytes:
    rung = parse_ladder([name])[0]
    return await read_all(name, encode_command(speech, rung, LENGTH, tools.ffmpeg))


async def test_blocks_of_any_size_give_the_same_file(
    speech: Path, tools: Tools, tmp_path: Path, published: Published
) -> None:
    """However the pipe cuts the encoder's output, the file is that which was published."""
    encoded = await _encoded(speech, tools, "opus-24k")
    for size in (1, 700, len(encoded)):
        path = tmp_path / f"{size}.mp4"
        with RenditionFile(path, LENGTH, "en") as file:
            for at in range(0, len(encoded), size):
                file.feed(encoded[at : at + size])
            file.finish()
        assert path.read_bytes() == published.file("opus-24k").read_bytes()


async def test_encoder_that_stops_early_is_found(
    speech: Path, tools: Tools, tmp_path: Path
) -> None:
    """An output that ends within a fragment, or with too few, is no rendition."""
    encoded = await _encoded(speech, tools, "opus-24k")
    with RenditionFile(tmp_path / "within.mp4", LENGTH, "en") as file:
        file.feed(encoded[:-100])
        with pytest.raises(TrackFormatError, match="stopped within a fragment"):
            file.finish()
    last = encoded.rindex(b"moof") - 4
    with RenditionFile(tmp_path / "few.mp4", LENGTH, "en") as file:
        file.feed(encoded[:last])
        with pytest.raises(TrackFormatError, match="368640 samples instead of 399360"):
            file.finish()


@pytest.mark.parametrize(
    "output",
    [
        b"\x00\x00\x00\x10mdat" + bytes(8),
        b"\x00\x00\x00\x10moof" + bytes(8),
        b"\x00\x00\x00\x10free" + bytes(8),
        b"\x7f\x00\x00\x00moov",
    ],
)
def test_unexpected_output_is_refused(tmp_path: Path, output: bytes) -> None:
    """A box out of its place, or of an absurd size, is an error and not a file."""
    with (
        RenditionFile(tmp_path / "odd.mp4", LENGTH, "en") as file,
        pytest.raises(TrackFormatError, match="the encoder wrote"),
    ):
        file.feed(output)


def test_sidx_names_segments(published: Published) -> None:
    """The file's own index has one entry for each media segment, six fragments each."""
    index = read_cmaf(published.file("aac-128k"))
    assert index.segments == group_segments(index.fragments)
    assert len(index.segments) == 2
    assert index.sidx.size == segment_index_size(2) == len(segment_index(index.segments))


def test_init_segment_is_pinned(published: Published) -> None:
    """The movie header's form: length in mehd, language in elng, nothing to interpret."""
    content = published.file("opus-24k").read_bytes()
    init = content[: read_cmaf(published.file("opus-24k")).init.size]
    assert init[:32] == b"\x00\x00\x00\x20ftypiso6\0\0\0\0iso6cmfcdashmp41"
    assert full_box(b"elng", 0, 0, b"en\0") in init
    assert full_box(b"mehd", 1, 0, LENGTH.to_bytes(8, "big")) in init
    assert b"edts" not in init
    assert b"btrt" not in init
