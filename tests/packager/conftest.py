"""One source and one track of the full ladder, made once for all tests of the packager."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from media.storage import LocalStorage
from media.track import Track
from packager.ffmpeg import Tools, find_tools
from packager.pipeline import TrackOrder, add_track
from packager.settings import PackagerSection
from tests.sounds import SMALL_LADDER, write_wav

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
    track = asyncio.run(add_track(order, LocalStorage(root), tools, PackagerSection()))
    return Published(speech, root, track)
