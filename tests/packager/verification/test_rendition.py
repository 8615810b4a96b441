"""What the verification finds in files that are almost right."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from media.track import Loudness
from packager.encoding.ladder import DEFAULT_LADDER, parse_ladder
from packager.encoding.renditions import Recipe, encode_rendition
from packager.errors import VerifyError
from packager.ffmpeg import Tools
from packager.source.prepared import Prepared
from packager.verification.reference import Reference, read_reference
from packager.verification.rendition import VerifiedRendition, verify_rendition
from tests.packager.conftest import Made

Change = NDArray[np.float32]


@pytest.fixture(scope="module")
def reference(recipe: Recipe) -> Reference:
    """The speech, as every rendition must sound."""
    return read_reference(recipe.prepared, recipe.length_samples, lambda _: None)


async def _verify(
    path: Path, name: str, reference: Reference, loudness: Loudness, tools: Tools
) -> VerifiedRendition:
    rung = parse_ladder([name])[0]
    return await verify_rendition(path, rung, reference, loudness, tools, lambda _: None)


async def _encoded(sound: Change, name: str, recipe: Recipe, folder: Path, tools: Tools) -> Path:
    """A rendition of another *sound*, with the padded length of the right one."""
    (folder / "other.f32").write_bytes(sound.astype("<f4").tobytes())
    other = replace(recipe, prepared=Prepared(folder / "other.f32", len(sound), 1.5))
    path = folder / f"{name}.mp4"
    await encode_rendition(other, parse_ladder([name])[0], path, tools, lambda _: None)
    return path


@pytest.fixture
def speech_samples(recipe: Recipe) -> Change:
    """The prepared sound, to be spoilt."""
    return np.fromfile(recipe.prepared.path, "<f4")


def test_whole_ladder_is_aligned_to_less_than_a_sample(made: Made) -> None:
    """Every rendition, AAC and Opus: beginning, middle and end; and as loud as the sound."""
    assert [each.rendition.name for each in made.verified] == list(DEFAULT_LADDER)
    for each in made.verified:
        assert len(each.lags) == 3
        assert max(map(abs, each.lags)) < 1.0
        assert each.loudness_lufs == pytest.approx(made.recipe.loudness.integrated_lufs, abs=0.3)
        assert each.rendition.segment_crc32 is not None


async def test_bit_rot_does_not_decode(
    made: Made, reference: Reference, tools: Tools, tmp_path: Path
) -> None:
    """Changed bytes in the sound are found by decoding, not trusted."""
    content = bytearray(made.file("aac-64k").read_bytes())
    fragment = made.verified[1].rendition.fragments[4]
    at = fragment.offset + fragment.size // 2
    content[at : at + 400] = b"\xff" * 400
    path = tmp_path / "rotten.mp4"
    path.write_bytes(content)
    with pytest.raises(VerifyError, match="aac-64k"):
        await _verify(path, "aac-64k", reference, made.recipe.loudness, tools)


async def test_priming_that_is_left_is_found(
    made: Made, reference: Reference, tools: Tools, tmp_path: Path
) -> None:
    """A PreSkip that a player would have to interpret is refused."""
    content = bytearray(made.file("opus-48k").read_bytes())
    struct.pack_into(">H", content, content.index(b"dOps") + 6, 312)
    path = tmp_path / "primed.mp4"
    path.write_bytes(content)
    with pytest.raises(VerifyError, match="PreSkip is 312"):
        await _verify(path, "opus-48k", reference, made.recipe.loudness, tools)


async def test_other_codec_is_found(made: Made, reference: Reference, tools: Tools) -> None:
    """A file under the name of another rendition is refused."""
    with pytest.raises(VerifyError, match="codec: opus instead of aac"):
        await _verify(made.file("opus-48k"), "aac-64k", reference, made.recipe.loudness, tools)


@pytest.mark.parametrize(("name", "late"), [("aac-64k", 1024), ("opus-48k", -312)])
async def test_shifted_sound_is_found(
    speech_samples: Change,
    recipe: Recipe,
    reference: Reference,
    tools: Tools,
    tmp_path: Path,
    name: str,
    late: int,
) -> None:
    """Sound that lies by an encoder's priming beside its place is refused, with the distance."""
    silence = np.zeros(max(late, 0), np.float32)
    shifted = np.concatenate([silence, speech_samples])[max(-late, 0) :][: len(speech_samples)]
    path = await _encoded(shifted, name, recipe, tmp_path, tools)
    with pytest.raises(VerifyError, match=f"{late} samples late"):
        await _verify(path, name, reference, recipe.loudness, tools)


async def test_louder_sound_is_found(
    speech_samples: Change, recipe: Recipe, reference: Reference, tools: Tools, tmp_path: Path
) -> None:
    """A gain that was applied twice is refused."""
    path = await _encoded(speech_samples * 1.19, "aac-64k", recipe, tmp_path, tools)
    with pytest.raises(VerifyError, match=r"\+1\.[45]\d LU louder"):
        await _verify(path, "aac-64k", reference, recipe.loudness, tools)


async def test_hole_is_found(
    speech_samples: Change, recipe: Recipe, reference: Reference, tools: Tools, tmp_path: Path
) -> None:
    """A second of silence in the middle, which the loudness of the whole would hide."""
    holed = speech_samples.copy()
    holed[4 * 48_000 : 5 * 48_000] = 0
    path = await _encoded(holed, "opus-48k", recipe, tmp_path, tools)
    with pytest.raises(VerifyError, match="second 4 has"):
        await _verify(path, "opus-48k", reference, recipe.loudness, tools)


async def test_other_length_is_found(made: Made, reference: Reference, tools: Tools) -> None:
    """A file that is shorter than the rest of the ladder is refused by its count of samples."""
    longer = replace(reference, length_samples=414_720)
    with pytest.raises(VerifyError, match="samples: 399360 instead of 414720"):
        await _verify(made.file("aac-64k"), "aac-64k", longer, made.recipe.loudness, tools)


async def test_silence_is_no_error(recipe: Recipe, tools: Tools, tmp_path: Path) -> None:
    """A track without any sound has no alignment to measure, and passes by its times alone."""
    path = await _encoded(np.zeros(100_000, np.float32), "opus-24k", recipe, tmp_path, tools)
    prepared = Prepared(tmp_path / "other.f32", 100_000)
    silent = read_reference(prepared, recipe.length_samples, lambda _: None)
    floor = Loudness(integrated_lufs=-70.0, range_lu=0.0, true_peak_dbtp=-70.0)
    verified = await _verify(path, "opus-24k", silent, floor, tools)
    assert verified.lags == ()
    assert verified.loudness_lufs == -70.0
