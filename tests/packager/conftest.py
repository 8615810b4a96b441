"""One source and one track of the full ladder, made once for all tests of the packager."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from media.storage import LocalStorage
from media.track import Loudness, Track
from packager.encoding.ladder import DEFAULT_LADDER, padded_samples, parse_ladder
from packager.encoding.renditions import Recipe
from packager.ffmpeg import Tools, find_tools
from packager.pipeline import TrackOrder, add_track
from packager.progress import Silent
from packager.renditions import make_renditions
from packager.settings import PackagerSection
from packager.source.prepared import Prepared
from packager.verification.rendition import VerifiedRendition
from tests.sounds import SMALL_LADDER, published_at, speech_like, write_wav

# Not a whole number of fragments or segments, nor of the step that all lengths are padded to.
SECONDS = 8.123


@dataclass(frozen=True)
class Published:
    """A track and where its source and its storage lie."""

    source: Path
    root: Path
    track: Track

    @property
    def storage(self) -> LocalStorage:
        return LocalStorage(self.root)

    def file(self, rendition: str) -> Path:
        return self.storage.path(f"{self.track.prefix}/{rendition}.mp4")


@pytest.fixture(scope="session")
def tools() -> Tools:
    """The ffmpeg and ffprobe that the packager finds."""
    return find_tools(PackagerSection())


@pytest.fixture(scope="session")
def small() -> PackagerSection:
    """Settings with one rendition of each codec."""
    return PackagerSection(ladder=list(SMALL_LADDER))


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A WAV of speech-like sound."""
    return write_wav(tmp_path_factory.mktemp("source") / "speech.wav", SECONDS)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory, speech: Path, tools: Tools) -> Published:
    """The speech, packaged to the default ladder; read only."""
    root = tmp_path_factory.mktemp("media")
    order = TrackOrder(speech, "one-week", "en", "One Week", track_offset_s=1.5)
    track = asyncio.run(
        add_track(order, LocalStorage(root), tools, PackagerSection(), clock=published_at)
    )
    return Published(speech, root, track)


@dataclass(frozen=True)
class Made:
    """The default ladder in a folder, and the prepared sound that it was made from."""

    recipe: Recipe
    folder: Path
    verified: tuple[VerifiedRendition, ...]

    def file(self, rendition: str) -> Path:
        return self.folder / f"{rendition}.mp4"


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Speech-like sound as the quality check leaves it, to be made louder by 1.5 dB."""
    path = tmp_path_factory.mktemp("prepared") / "prepared.f32"
    sound = np.asarray(speech_like(SECONDS), np.float32) / 32768
    sound.astype("<f4").tofile(path)
    return Prepared(path, len(sound), 1.5)


@pytest.fixture(scope="session")
def recipe(prepared: Prepared) -> Recipe:
    """What its renditions have in common."""
    loudness = Loudness(integrated_lufs=-18.25, range_lu=6.0, true_peak_dbtp=-2.5)
    return Recipe(prepared, padded_samples(prepared.samples), "en", loudness)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, recipe: Recipe, tools: Tools) -> Made:
    """The speech, encoded to the default ladder and verified; read only."""
    folder = tmp_path_factory.mktemp("made")
    ladder = parse_ladder(DEFAULT_LADDER)
    verified = asyncio.run(make_renditions(recipe, ladder, folder, tools, (None, None), Silent()))
    return Made(recipe, folder, verified)
