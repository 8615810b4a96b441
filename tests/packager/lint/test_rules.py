"""Every rule, on a right stream and on one with a single mistake."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from media.track import Track, dump_track
from packager.lint.findings import Severity
from packager.lint.rules import RULES
from packager.lint.run import lint_folder, lint_track, lint_url
from tests.packager.lint.conftest import Serve
from tests.packager.lint.faults import CASES, Case
from tests.packager.lint.stand import Stand

# What a folder alone can show: a server has no track.json.
_OF_FOLDERS = {"track-json"}


def test_every_rule_has_a_mistake_that_it_must_find() -> None:
    """No rule stands in the table that no test ever saw at work."""
    assert {case.rule for case in CASES} | _OF_FOLDERS == {rule.id for rule in RULES}
    assert len({rule.id for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("name", ["main", "opus", "now"])
async def test_a_right_stream_breaks_no_rule(stand: Stand, serve: Serve, name: str) -> None:
    """No finding of any rule, and everything was read."""
    report = await lint_url(f"{await serve(stand)}/{name}.m3u8")
    assert report.text().count("\n") == 1, report.text()
    assert report.findings == ()
    assert report.exit_code == 0
    assert report.segments == report.segments_in_all > 0


@pytest.mark.parametrize("case", CASES, ids=[f"{i}-{c.rule}" for i, c in enumerate(CASES)])
async def test_a_mistake_is_found_where_it_is(stand: Stand, serve: Serve, case: Case) -> None:
    """By its rule, in its playlist, at its line, with a source and a mend."""
    case.change(stand)
    report = await lint_url(f"{await serve(stand)}/{case.target}")
    found = [f for f in report.findings if f.rule == case.rule]
    assert found, report.text()
    here = [f for f in found if f.where.endswith(f"/{case.where}")]
    assert here, report.text()
    if case.line is not None:
        lines = stand.texts[case.where].decode().split("\n")
        assert all(f.line is not None for f in here)
        assert any(lines[(f.line or 0) - 1].startswith(case.line) for f in here), report.text()
    assert all(f.source and f.mend and f.what for f in here)
    assert report.exit_code == (
        4 if any(f.severity is Severity.ERROR for f in report.findings) else 0
    )


def test_a_published_folder_breaks_no_rule(published: tuple[Track, Path]) -> None:
    """Its playlists, rendered as the gateway would, and the boxes of its files."""
    track, folder = published
    report = lint_folder(folder)
    assert report.findings == (), report.text()
    # main, opus, the four Media Playlists, and now.
    assert report.playlists == 7
    whole = sum(len(rendition.segments) for rendition in track.renditions)
    assert report.segments == report.segments_in_all > whole


def test_a_track_json_of_another_file_is_found(published: tuple[Track, Path]) -> None:
    """Size, codec and fragments of a file are held against track.json."""
    track, folder = published
    files = {r.name: folder / r.file_name for r in track.renditions}
    assert lint_track(track, files).findings == ()
    files["aac-32k"] = files["aac-64k"]
    report = lint_track(track, files)
    found = [f for f in report.findings if f.rule == "track-json"]
    assert {f.where for f in found} == {"aac-32k.mp4"}
    assert any("bytes, track.json says" in f.what for f in found)
    assert any("fragments" in f.what for f in found)


def test_a_missing_file_of_a_folder_is_a_finding(
    published: tuple[Track, Path], tmp_path: Path
) -> None:
    """track.json without its files is no crash: each missing one is named."""
    track, _ = published
    (tmp_path / "track.json").write_bytes(dump_track(track))
    report = lint_folder(tmp_path)
    missing = {f.where for f in report.findings if f.rule == "reachable"}
    assert missing == {rendition.file_name for rendition in track.renditions}


def test_rule_ids_and_sources_are_of_one_form() -> None:
    """Ids are stable words; each rule says what it asks, where that stands, and the mend."""
    for rule in RULES:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.id)
        assert rule.summary.endswith("."), rule.id
        assert rule.source, rule.id
        assert rule.mend, rule.id
