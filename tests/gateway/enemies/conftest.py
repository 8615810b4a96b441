"""What the attacks share."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from media.track import Track
from tests.gateway.enemies.house import House, prepare
from tests.services.once import made_once


@pytest.fixture(scope="session")
def prepared(
    tmp_path_factory: pytest.TempPathFactory, tracks: tuple[Path, Track], chain: Path
) -> Path:
    """A folder with an evening, to copy; its tracks are read where they lie."""
    root, track = tracks
    return made_once(
        tmp_path_factory,
        "enemies",
        lambda folder: asyncio.run(prepare(folder, root, track, chain)),
    )


@pytest.fixture(scope="session")
def house(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One Tell for all attacks that need no settings of their own: it stands after each."""
    folder = copied(prepared, tmp_path_factory.mktemp("house"))
    house = House.start(folder, prepared / "media")
    yield house
    house.end()


def copied(prepared: Path, folder: Path) -> Path:
    """The evening in a folder of its own, but for the tracks."""
    shutil.copytree(
        prepared, folder, ignore=shutil.ignore_patterns("media", "amc.*"), dirs_exist_ok=True
    )
    return folder
