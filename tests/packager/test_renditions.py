"""Making the ladder, and going on where a killed run stopped."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from packager.encoding.ladder import DEFAULT_LADDER, parse_ladder
from packager.errors import EncodeError, WorkFolderError
from packager.ffmpeg import Tools
from packager.progress import Silent
from packager.renditions import finished_files, make_renditions
from packager.source.prepared import Prepared
from tests.packager.conftest import Made


class _Told(Silent):
    """Keeps the names of the tasks that were begun."""

    def __init__(self) -> None:
        self.begun: list[str] = []

    def begin(self, task: str, total_samples: int | None) -> None:
        self.begun.append(task)


@pytest.fixture
def folder(made: Made, tmp_path: Path) -> Path:
    """A work folder in which a run has finished everything."""
    return Path(shutil.copytree(made.folder, tmp_path / "work"))


async def test_second_run_takes_what_is_finished(made: Made, folder: Path, tools: Tools) -> None:
    """With all renditions finished nothing is encoded or verified, and the result is the same."""
    told = _Told()
    ladder = parse_ladder(DEFAULT_LADDER)
    again = await make_renditions(made.recipe, ladder, folder, tools, (None, None), told)
    assert again == made.verified
    assert told.begun == ["read prepared sound"]
    assert sorted(finished_files(folder)) == sorted(DEFAULT_LADDER)


async def test_what_is_missing_or_damaged_is_made_again(
    made: Made, folder: Path, tools: Tools
) -> None:
    """A file without a note (its run was killed) and one that was changed are made anew, alone."""
    (folder / "aac-32k.mp4.done").unlink()
    damaged = folder / "opus-24k.mp4"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    told = _Told()
    ladder = parse_ladder(DEFAULT_LADDER)
    again = await make_renditions(made.recipe, ladder, folder, tools, (None, None), told)
    assert again == made.verified
    assert {task for task in told.begun if task.startswith("encode")} == {
        "encode aac-32k",
        "encode opus-24k",
    }


async def test_other_gain_makes_all_again(made: Made, folder: Path, tools: Tools) -> None:
    """A finished file of a sound at another level is not taken."""
    told = _Told()
    recipe = replace(made.recipe, prepared=replace(made.recipe.prepared, gain_db=1.4))
    await make_renditions(recipe, parse_ladder(["opus-24k"]), folder, tools, (None, None), told)
    assert "encode opus-24k" in told.begun


async def test_failing_encoder_ends_the_run(made: Made, tmp_path: Path, tools: Tools) -> None:
    """A prepared sound that is gone is an error that names what could not be made."""
    gone = replace(made.recipe, prepared=Prepared(tmp_path / "gone.f32", 100))
    with pytest.raises((EncodeError, WorkFolderError), match=r"gone\.f32|aac-64k"):
        await make_renditions(
            gone, parse_ladder(["aac-64k"]), tmp_path, tools, (None, None), Silent()
        )
    assert finished_files(tmp_path) == []


async def test_missing_folder_is_an_error(made: Made, tmp_path: Path, tools: Tools) -> None:
    """A work folder that went away is named."""
    with pytest.raises(WorkFolderError, match="absent"):
        await make_renditions(
            made.recipe,
            parse_ladder(["opus-24k"]),
            tmp_path / "absent",
            tools,
            (None, None),
            Silent(),
        )
