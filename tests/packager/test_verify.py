"""What the verification finds in files that are almost right."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from packager.check import check_source
from packager.encode import encode_command
from packager.errors import VerifyError
from packager.ffmpeg import Run, Tools
from packager.ladder import Rung, parse_ladder
from packager.mux import RenditionFile
from packager.probe import probe
from packager.verify import verify_playlists, verify_rendition
from tests.packager.conftest import Published
from tests.sounds import write_wav

LENGTH = 399_360


def _rung(name: str) -> Rung:
    return parse_ladder([name])[0]


async def _verify(path: Path, name: str, speech: Path, tools: Tools) -> None:
    claims = await probe(speech, tools)
    checked = await check_source(claims, tools, lambda _: None)
    assert checked.windows
    await verify_rendition(path, _rung(name), LENGTH, checked.windows, tools, lambda _: None)


@pytest.mark.parametrize("name", ["aac-32k", "opus-24k"])
async def test_published_file_passes_again(published: Published, tools: Tools, name: str) -> None:
    """A file taken from the storage passes the check that it passed before."""
    await _verify(published.file(name), name, published.source, tools)


async def test_bit_rot_is_found(published: Published, tools: Tools, tmp_path: Path) -> None:
    """Changed bytes in the sound do not decode."""
    content = bytearray(published.file("aac-64k").read_bytes())
    fragment = published.track.renditions[1].fragments[4]
    at = fragment.offset + fragment.size // 2
    content[at : at + 400] = b"\xff" * 400
    path = tmp_path / "rotten.mp4"
    path.write_bytes(content)
    with pytest.raises(VerifyError, match="aac-64k"):
        await _verify(path, "aac-64k", published.source, tools)


async def test_priming_that_is_left_is_found(
    published: Published, tools: Tools, tmp_path: Path
) -> None:
    """A PreSkip that a player would have to interpret is refused."""
    content = bytearray(published.file("opus-48k").read_bytes())
    at = content.index(b"dOps") + 6
    struct.pack_into(">H", content, at, 312)
    path = tmp_path / "primed.mp4"
    path.write_bytes(content)
    with pytest.raises(VerifyError, match="PreSkip is 312"):
        await _verify(path, "opus-48k", published.source, tools)


async def test_other_codec_is_found(published: Published, tools: Tools) -> None:
    """A file under the name of another rendition is refused."""
    with pytest.raises(VerifyError, match="codec: opus instead of aac"):
        await _verify(published.file("opus-48k"), "aac-64k", published.source, tools)


@pytest.mark.parametrize(("name", "late"), [("aac-64k", 1024), ("opus-48k", -312)])
async def test_shifted_sound_is_found(
    published: Published, tools: Tools, tmp_path: Path, name: str, late: int
) -> None:
    """Sound that lies by an encoder's priming beside its place is refused, with the distance."""
    shifted = tmp_path / "shifted.wav"
    header_and_sound = published.source.read_bytes()
    header, sound = header_and_sound[:44], header_and_sound[44:]
    shifted.write_bytes(header + (bytes(2 * max(late, 0)) + sound)[-2 * min(late, 0) :])
    path = tmp_path / "shifted.mp4"
    command = encode_command(shifted, _rung(name), LENGTH, tools.ffmpeg)
    # Only ffmpeg's strictness about the WAV's size stands between the shift and the file.
    command = [part for part in command if part not in {"-xerror", "-err_detect", "explode"}]
    with RenditionFile(path, LENGTH, "en") as file:
        async with Run(name, command) as run:
            async for block in run.blocks():
                file.feed(block)
        file.finish()
    with pytest.raises(VerifyError, match=f"{late} samples late"):
        await _verify(path, name, published.source, tools)


async def test_other_sound_is_not_taken_for_the_source(
    published: Published, tools: Tools, tmp_path: Path
) -> None:
    """A file cut short is refused by its count of samples."""
    short = write_wav(tmp_path / "short.wav", 1.0)
    path = tmp_path / "short.mp4"
    command = encode_command(short, _rung("aac-64k"), 61_440, tools.ffmpeg)
    with RenditionFile(path, 61_440, "en") as file:
        async with Run("aac-64k", command) as run:
            async for block in run.blocks():
                file.feed(block)
        file.finish()
    with pytest.raises(VerifyError, match="samples: 61440 instead of 399360"):
        await _verify(path, "aac-64k", published.source, tools)


def test_playlists_agree_with_the_index(published: Published) -> None:
    """What m3u8 reads from our playlists is what the files hold."""
    verify_playlists(published.track)
