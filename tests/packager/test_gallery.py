"""The gallery of bad sources: each is refused or reported with its code, in the whole pipeline."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from pathlib import Path

import pytest

from media.storage import LocalStorage
from media.track import load_track
from packager.errors import PackagerError, SourceRefusedError
from packager.ffmpeg import Tools
from packager.order import TrackOrder
from packager.pipeline import add_track, package
from packager.settings import PackagerSection
from tests.packager.gallery import ELSEWHERE, REFUSED, REPORTED, SECONDS, UNREADABLE, Exhibit
from tests.packager.program import QUICK as FAST
from tests.packager.program import REPOSITORY, run_program
from tests.packager.signals import speech, write_sound
from tests.sounds import publish_short_track, published_at

# Enough bits for sounds that are more noise than voice.
QUICK = PackagerSection(ladder=["aac-128k"])


def _named(exhibit: Exhibit) -> str:
    return exhibit.name.replace(" ", "-")


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A storage for what is refused: nothing in it may ever change."""
    return tmp_path_factory.mktemp("gallery") / "media"


@pytest.fixture(scope="session")
def before(stored: Path) -> dict[Path, bytes]:
    """The film's published track, as it lies in the storage."""
    asyncio.run(publish_short_track(stored, "film", seconds=1.0, ladder=("opus-24k",)))
    return _content(stored)


def _content(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def _order(exhibit: Exhibit, folder: Path) -> TrackOrder:
    return TrackOrder(exhibit.make(folder), "film", "en", "Film", **exhibit.order)


def test_gallery_is_large_enough() -> None:
    """At least 25 bad sources, each with a name of its own."""
    names = [exhibit.name for exhibit in (*UNREADABLE, *REFUSED, *REPORTED)] + list(ELSEWHERE)
    assert len(set(names)) == len(names) >= 25


@pytest.mark.parametrize("exhibit", UNREADABLE, ids=_named)
async def test_unreadable_source_is_refused(
    tmp_path: Path, tools: Tools, stored: Path, before: dict[Path, bytes], exhibit: Exhibit
) -> None:
    """It ends with its code and a mend; the published track is untouched."""
    order = _order(exhibit, tmp_path)
    with pytest.raises(PackagerError) as caught:
        await add_track(order, LocalStorage(stored), tools, QUICK, clock=published_at)
    assert caught.value.code == exhibit.code
    assert exhibit.says in str(caught.value)
    assert caught.value.mend
    assert _content(stored) == before


@pytest.mark.parametrize("exhibit", REFUSED, ids=_named)
async def test_bad_sound_is_refused(
    tmp_path: Path, tools: Tools, stored: Path, before: dict[Path, bytes], exhibit: Exhibit
) -> None:
    """The finding with its code is the one that refuses it, with a mend; nothing is touched."""
    order = _order(exhibit, tmp_path)
    with pytest.raises(SourceRefusedError) as caught:
        await add_track(order, LocalStorage(stored), tools, QUICK, clock=published_at)
    refusing = {finding.code: finding for finding in caught.value.findings if finding.refuses}
    assert set(refusing) == {exhibit.code}
    finding = refusing[exhibit.code]
    assert exhibit.says in f"{finding.what}; {finding.mend}"
    assert f"--accept {exhibit.code}" in caught.value.mend
    assert _content(stored) == before


@pytest.mark.parametrize("exhibit", REPORTED, ids=_named)
async def test_doubtful_sound_is_reported(tmp_path: Path, tools: Tools, exhibit: Exhibit) -> None:
    """It is published, and the finding is told and stands in track.json."""
    storage = LocalStorage(tmp_path / "media")
    order = _order(exhibit, tmp_path)
    packaged = await package(order, storage, tools, QUICK, clock=published_at)
    findings = {finding.code: finding for finding in packaged.assessment.findings}
    assert exhibit.says in f"{findings[exhibit.code].what}; {findings[exhibit.code].mend}"
    path = storage.path(f"{packaged.track.prefix}/track.json")
    kept = load_track(path.read_bytes(), "track.json").findings
    assert kept is not None
    assert exhibit.code in {finding.code for finding in kept}


async def test_severity_is_configured(tmp_path: Path, tools: Tools) -> None:
    """What is reported by default is refused where the settings call it an error."""
    section = QUICK.model_dump()
    section["quality"]["severities"]["running_time_unknown"] = "error"
    settings = PackagerSection.model_validate(section)
    order = TrackOrder(write_sound(tmp_path / "a.wav", speech(SECONDS)), "film", "en", "Film")
    with pytest.raises(SourceRefusedError, match="running-time-unknown"):
        await add_track(
            order, LocalStorage(tmp_path / "media"), tools, settings, clock=published_at
        )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
async def test_source_without_permission_is_refused(tmp_path: Path, tools: Tools) -> None:
    """A file without read permission is refused as such."""
    source = write_sound(tmp_path / "source.wav", speech(0.5))
    source.chmod(0)
    order = TrackOrder(source, "film", "en", "Film")
    with pytest.raises(PackagerError, match="permission") as caught:
        await add_track(order, LocalStorage(tmp_path / "media"), tools, QUICK, clock=published_at)
    assert caught.value.code == "source-unreadable"


@pytest.mark.parametrize("name", ["cut off in its first half", "clipped"])
def test_command_refuses(
    tmp_path: Path, stored: Path, before: dict[Path, bytes], name: str
) -> None:
    """The operator's command ends with 3, code and mend on stderr, and nothing on stdout."""
    exhibit = next(each for each in (*UNREADABLE, *REFUSED) if each.name == name)
    done = _add(tmp_path, stored, exhibit.make(tmp_path))
    assert done.returncode == 3, done.stderr
    assert exhibit.code in done.stderr
    assert "mend: " in done.stderr
    assert done.stdout == ""
    assert _content(stored) == before


def test_command_accepts_and_records(tmp_path: Path) -> None:
    """With --accept the same source is published, and track.json says who let it pass."""
    exhibit = next(each for each in REFUSED if each.name == "clipped")
    root = tmp_path / "media"
    source = exhibit.make(tmp_path)
    done = _add(tmp_path, root, source, "--accept", "clipping")
    assert done.returncode == 0, done.stderr
    (path,) = root.rglob("track.json")
    kept = load_track(path.read_bytes(), "track.json").findings
    assert kept is not None
    assert [(each.severity, each.accepted) for each in kept if each.code == "clipping"] == [
        ("error", True)
    ]


async def test_unknown_code_is_not_accepted(tmp_path: Path, tools: Tools) -> None:
    """A code that no finding has is a mistake of writing, and the codes are listed."""
    source = write_sound(tmp_path / "a.wav", speech(1.0))
    order = TrackOrder(source, "film", "en", "Film", accepted=frozenset({"cliping"}))
    with pytest.raises(PackagerError, match=r"cliping.*clipping") as caught:
        await add_track(order, LocalStorage(tmp_path / "media"), tools, QUICK, clock=published_at)
    assert caught.value.code == "unknown-finding"


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_no_file_shows_is_tested_elsewhere(name: str) -> None:
    """The faults that come from outside the source have their tests by name."""
    path, _, test = ELSEWHERE[name].partition("::")
    assert re.search(rf"^(async )?def {test}\(", (REPOSITORY / path).read_text("utf-8"), re.M)


def _add(
    tmp_path: Path, root: Path, source: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    """Run `tell-package add` for the film, as long as a good source is."""
    said = ("--running-time", str(SECONDS), *options)
    return run_program(
        tmp_path, "add", source, "--movie-id", "film", "--media-root", root, *said, environ=FAST
    )
