"""Reading packets out of the encoder's output, however the pipe cuts it."""

from __future__ import annotations

import pytest

from media.errors import TrackFormatError
from packager.encoding.encoders import encode_command
from packager.encoding.ladder import parse_ladder
from packager.encoding.packets import PacketReader, PacketRun
from packager.encoding.renditions import Recipe
from packager.ffmpeg import Tools, read_all


async def _encoded(recipe: Recipe, tools: Tools, name: str) -> bytes:
    rung = parse_ladder([name])[0]
    command = encode_command(recipe.prepared, rung, recipe.length_samples, tools.ffmpeg)
    return await read_all(name, command)


def _read(encoded: bytes, size: int) -> list[PacketRun]:
    reader = PacketReader("some")
    runs = [
        run for at in range(0, len(encoded), size) for run in reader.feed(encoded[at : at + size])
    ]
    reader.finish()
    return runs


async def test_blocks_of_any_size_give_the_same_packets(recipe: Recipe, tools: Tools) -> None:
    """The pipe may cut anywhere; all packets come, in order, and their sizes are those of bytes."""
    encoded = await _encoded(recipe, tools, "opus-24k")
    runs = _read(encoded, len(encoded))
    assert _read(encoded, 1_001) == _read(encoded, 65_536) == runs
    assert sum(len(run.sizes) for run in runs) == recipe.length_samples // 960
    assert [run.decode_time for run in runs][:2] == [0, runs[0].samples]
    assert all(sum(run.sizes) == len(run.data) for run in runs)


async def test_packets_of_one_size_are_read(recipe: Recipe, tools: Tools) -> None:
    """A moof may name one size for all of its packets (constant bit rate), and no table."""
    rung = parse_ladder(["opus-24k"])[0]
    command = encode_command(
        recipe.prepared, rung, recipe.length_samples, tools.ffmpeg, instead={"vbr": "off"}
    )
    runs = _read(await read_all("opus-24k", command), 65_536)
    assert {size for run in runs for size in run.sizes} == {60}


async def test_encoder_that_stops_within_a_fragment_is_found(recipe: Recipe, tools: Tools) -> None:
    """What ends in the middle is not taken for the end."""
    encoded = await _encoded(recipe, tools, "opus-24k")
    with pytest.raises(TrackFormatError, match="stopped within a fragment"):
        _read(encoded[:-100], 65_536)


@pytest.mark.parametrize(
    "output",
    [
        b"\x00\x00\x00\x10mdat" + bytes(8),
        b"\x00\x00\x00\x10moof" + bytes(8),
        b"\x00\x00\x00\x10free" + bytes(8),
        b"\x7f\x00\x00\x00moov",
    ],
)
def test_unexpected_output_is_refused(output: bytes) -> None:
    """A box out of its place, or of an absurd size, is an error and not a file."""
    with pytest.raises(TrackFormatError, match="the encoder wrote"):
        list(PacketReader("some").feed(output))
