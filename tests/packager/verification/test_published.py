"""A published track on a later day: what has changed is named, to the segment."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from media.storage import LocalStorage
from media.track import Rendition, Track
from packager.ffmpeg import Tools
from packager.progress import Silent
from packager.verification.published import Problem, verify_published
from tests.packager.conftest import Published


class _Copy:
    """The published track in a storage of its own, to be spoilt."""

    def __init__(self, published: Published, root: Path) -> None:
        shutil.copytree(published.root, root)
        self.storage = LocalStorage(root)
        self.track = published.track
        # Where a file lies while it is checked.
        self.parent = root.parent / "work"
        self.parent.mkdir()

    def path(self, name: str) -> Path:
        return self.storage.path(f"{self.track.prefix}/{name}.mp4")

    def rendition(self, name: str) -> Rendition:
        found = self.track.rendition(name)
        assert found is not None
        return found

    def flip(self, name: str, at: int) -> None:
        content = bytearray(self.path(name).read_bytes())
        content[at] ^= 0x10
        self.path(name).write_bytes(content)

    async def problems(self, tools: Tools, track: Track | None = None) -> list[Problem]:
        return await verify_published(
            self.storage, track or self.track, tools, Silent(), self.parent
        )


@pytest.fixture
def copy(published: Published, tmp_path: Path) -> _Copy:
    """A storage with the published track."""
    return _Copy(published, tmp_path / "media")


async def test_untouched_track_is_right(copy: _Copy, tools: Tools) -> None:
    """Nothing is found where nothing has changed, and nothing is left of the looking."""
    assert await copy.problems(tools) == []
    assert list(copy.parent.iterdir()) == []


@pytest.mark.parametrize(
    "changed", [{"track_offset_s": 4.0}, {"title": "The Generals"}, {"silences": ((0, 96_000),)}]
)
async def test_a_description_that_was_changed_is_named(
    copy: _Copy, tools: Tools, changed: dict[str, Any]
) -> None:
    """Rotten or edited, it is still JSON: a film described four seconds late, or another one."""
    problems = await copy.problems(tools, copy.track.model_copy(update=changed))
    assert [each.code for each in problems] == ["track-changed"]
    assert problems[0].where == f"{copy.track.prefix}/track.json"


async def test_one_flipped_bit_is_named_with_its_segment(copy: _Copy, tools: Tools) -> None:
    """The file, the bytes and the time of the damage, once; the other files are not blamed."""
    segment = copy.rendition("aac-128k").segments[1]
    copy.flip("aac-128k", segment.offset + segment.size // 2)
    named = [each for each in await copy.problems(tools) if each.code == "file-changed"]
    last = segment.offset + segment.size - 1
    key = f"{copy.track.prefix}/aac-128k.mp4"
    assert [each.where for each in named] == [f"{key} bytes {segment.offset}-{last}"]
    assert "segment 1 (5.76 to 8.32 s)" in named[0].what
    assert "roll back" in named[0].mend


async def test_damaged_header_is_named(copy: _Copy, tools: Tools) -> None:
    """Bytes before the first segment are the movie header and the sidx."""
    copy.flip("opus-24k", 40)
    problems = await copy.problems(tools)
    end = copy.rendition("opus-24k").segments[0].offset - 1
    assert f"{copy.track.prefix}/opus-24k.mp4 bytes 0-{end}" in [each.where for each in problems]


async def test_missing_and_truncated_files_are_named(copy: _Copy, tools: Tools) -> None:
    """A file that is gone, and one that lost its end."""
    copy.path("aac-32k").unlink()
    content = copy.path("opus-48k").read_bytes()
    copy.path("opus-48k").write_bytes(content[:-500])
    codes = {(each.code, each.where.split()[0]) for each in await copy.problems(tools)}
    prefix = copy.track.prefix
    assert ("file-missing", f"{prefix}/aac-32k.mp4") in codes
    assert ("file-changed", f"{prefix}/opus-48k.mp4") in codes
    assert {where for _, where in codes} == {f"{prefix}/aac-32k.mp4", f"{prefix}/opus-48k.mp4"}


async def test_index_that_lies_is_named(copy: _Copy, tools: Tools) -> None:
    """A bandwidth or a loudness in track.json that the file does not have."""
    wrong = [
        each.model_copy(update={"peak_bps": each.peak_bps - 1000, "loudness_lufs": -10.0})
        if each.name == "aac-64k"
        else each
        for each in copy.track.renditions
    ]
    track = copy.track.model_copy(update={"renditions": tuple(wrong)})
    problems = await copy.problems(tools, track)
    assert [each.code for each in problems] == ["index-differs", "file-loudness"]
    assert all(each.where.endswith("/aac-64k.mp4") for each in problems)


async def test_rendition_of_another_sound_is_named(
    copy: _Copy, tools: Tools, published: Published
) -> None:
    """A whole and sound file, whose digest is right, but which is late against the others."""
    late = await _late_rendition(copy, tools, published)
    others = [each for each in copy.track.renditions if each.name != late.name]
    track = copy.track.model_copy(update={"renditions": (*others, late)})
    problems = await copy.problems(tools, track)
    # Its digest stands in track.json alone, which was published with another.
    assert [each.code for each in problems] == ["track-changed", "file-misaligned"]
    assert problems[1].what.endswith("samples late against the source at its beginning")


async def _late_rendition(copy: _Copy, tools: Tools, published: Published) -> Rendition:
    """Opus of the same sound 960 samples later, put in the place of opus-24k."""
    import numpy as np

    from packager.encoding.ladder import parse_ladder
    from packager.encoding.renditions import Recipe, encode_rendition
    from packager.source.prepared import Prepared
    from packager.verification.decoding import decode_blocks, decode_command
    from packager.verification.reference import read_reference
    from packager.verification.rendition import verify_rendition

    pieces = [np.zeros(960, np.float32)]
    command = decode_command(copy.path("aac-128k"), tools.ffmpeg)
    await decode_blocks("some", command, lambda block: pieces.append(block.copy()))
    length = copy.track.duration_samples
    sound = np.concatenate(pieces)[:length]
    path = copy.path("opus-24k")
    raw = path.with_suffix(".f32")
    raw.write_bytes(sound.astype("<f4").tobytes())
    assert copy.track.loudness is not None
    recipe = Recipe(Prepared(raw, length), length, "en", copy.track.loudness)
    path.unlink()
    rung = parse_ladder(["opus-24k"])[0]
    await encode_rendition(recipe, rung, path, tools, lambda _: None)
    reference = read_reference(recipe.prepared, length, lambda _: None)
    raw.unlink()
    verified = await verify_rendition(
        path, rung, reference, copy.track.loudness, tools, lambda _: None
    )
    return verified.rendition
