"""What a lint takes, what it reads of a long film, and what it gives to people and machines."""

from __future__ import annotations

import gc
import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from media.track import Track
from packager.errors import LintTargetError
from packager.lint.folder import load_folder
from packager.lint.presentation import Presentation
from packager.lint.run import check, lint
from tests.packager.lint.conftest import Serve
from tests.packager.lint.stand import Stand


async def test_a_target_is_an_address_or_a_folder(
    published: tuple[Track, Path], stand: Stand, serve: Serve
) -> None:
    """One call for both, by the target's form."""
    assert (await lint(str(published[1]))).findings == ()
    assert (await lint(f"{await serve(stand)}/main.m3u8")).findings == ()


async def test_a_language_s_folder_stands_for_its_current_version(
    published: tuple[Track, Path], tmp_path: Path
) -> None:
    """An operator need not look up which version is current."""
    track, folder = published
    report = await lint(str(folder.parent))
    assert (report.findings, report.playlists) == ((), 7)
    (tmp_path / "current.json").write_text(json.dumps({"version": track.version}))
    with pytest.raises(LintTargetError, match=track.version):
        await lint(str(tmp_path))
    (tmp_path / "current.json").write_text('{"version": null}')
    with pytest.raises(LintTargetError, match="withdrawn"):
        await lint(str(tmp_path))


def test_one_presentation_is_held_at_a_time(published: tuple[Track, Path]) -> None:
    """A film's boxes are large: what was looked at is let go before the next is read."""
    held = []

    def one_by_one() -> Iterator[Presentation]:
        before = _presentations()
        for presentation in load_folder(published[1]):
            yield presentation
            del presentation
            held.append(_presentations() - before)

    assert check("it", one_by_one()).findings == ()
    assert held == [0, 0, 0]


def _presentations() -> int:
    return sum(isinstance(each, Presentation) for each in gc.get_objects())


async def test_a_long_film_may_be_read_in_parts(stand: Stand, serve: Serve) -> None:
    """First, last and some segments between; the report says how many."""
    url = f"{await serve(stand)}/main.m3u8"
    report = await lint(url, most_segments=3)
    assert report.findings == ()
    assert (report.segments, report.segments_in_all) == (6, 16)
    # The last one is always among them.
    stand.rewrite(["aac-64k.m3u8"], r"^#EXTINF:1\.920000,$", "#EXTINF:1.800000,")
    report = await lint(url, most_segments=3)
    assert "extinf-samples" in {finding.rule for finding in report.findings}


async def test_text_names_rule_place_mend_and_source(stand: Stand, serve: Serve) -> None:
    """For people: where it is, what to do, and a summary in the last line."""
    stand.rewrite(["aac-64k.m3u8"], "TYPE:VOD", "TYPE:EVENT")
    url = await serve(stand)
    text = (await lint(f"{url}/main.m3u8")).text()
    host = url.partition("/stream")[0]
    assert text == (
        f"error: playlist-type: {host}/…/aac-64k.m3u8:5: EXT-X-PLAYLIST-TYPE is EVENT\n"
        "  mend: write EXT-X-PLAYLIST-TYPE:VOD\n"
        "  rule: Apple HLS authoring 8.6; RFC 8216bis 4.4.3.5\n"
        f"{host}/…/main.m3u8: 1 errors, 0 warnings; {text.rpartition('warnings; ')[2]}"
    )


async def test_a_habit_is_told_in_five_places_and_counted(stand: Stand, serve: Serve) -> None:
    """A text of a thousand equal findings hides the others; JSON has them all."""
    stand.rewrite(["aac-64k.m3u8"], r"^#EXTINF:5\.760000,$", "#EXTINF:5.700000,")
    report = await lint(f"{await serve(stand)}/main.m3u8")
    text = report.text()
    assert text.count("error: extinf-samples: ") == 5
    assert "extinf-samples: " in text
    assert "and 2 more places\n" in text
    found = [f for f in json.loads(report.json())["findings"] if f["rule"] == "extinf-samples"]
    assert len(found) == 7


async def test_json_holds_every_field(stand: Stand, serve: Serve) -> None:
    """For machines: the counts and each finding, by stable ids."""
    stand.rewrite(["main.m3u8"], r",AVERAGE-BANDWIDTH=\d+", "")
    data = json.loads((await lint(f"{await serve(stand)}/main.m3u8")).json())
    assert (data["errors"], data["warnings"], data["playlists"]) == (2, 0, 3)
    assert data["findings"][0] == {
        "rule": "average-present",
        "severity": "error",
        "source": "Apple HLS authoring 9.14",
        "where": data["target"],
        "line": 7,
        "what": "has no AVERAGE-BANDWIDTH",
        "mend": "write the average as well",
    }


async def test_no_token_is_told(stand: Stand, serve: Serve) -> None:
    """A report may land in a public log: addresses are shown without what lies in their path."""
    stand.missing = frozenset({"aac-64k.mp4"})
    stand.rewrite(["aac-32k.m3u8"], r"^aac-32k\.mp4$", "aac-32k.mp4?sig=secret")
    report = await lint(f"{await serve(stand)}/main.m3u8?sig=secret")
    assert report.errors
    for told in (report.text(), report.json()):
        assert "/token/" not in told
        assert "secret" not in told


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [("none.m3u8", None, "404"), ("page.m3u8", b"<html>", "no playlist"), ("e.m3u8", b"", "no p")],
)
async def test_an_address_without_a_playlist_is_refused(
    stand: Stand, serve: Serve, name: str, body: bytes | None, said: str
) -> None:
    """Nothing is linted, and the error says why and what to name."""
    if body is None:
        stand.missing = frozenset({name})
    else:
        stand.texts[name] = body
    with pytest.raises(LintTargetError, match=said) as caught:
        await lint(f"{await serve(stand)}/{name}")
    assert caught.value.code == "lint-target"
    assert "folder of a published version" in caught.value.mend


async def test_a_server_that_is_gone_is_said(unused_tcp_port: int) -> None:
    """By the operating system's reason, without the path."""
    with pytest.raises(LintTargetError, match="cannot be reached: Connect") as caught:
        await lint(f"http://127.0.0.1:{unused_tcp_port}/stream/secret/main.m3u8")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"{}", b"\xff\x00"])
async def test_a_folder_without_a_track_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """No track.json, or none that can be read."""
    if content is not None:
        (tmp_path / "track.json").write_bytes(content)
    with pytest.raises(LintTargetError, match=r"track\.json"):
        await lint(str(tmp_path))


@pytest.mark.parametrize(
    "packed",
    [b"no gzip", gzip.compress(b"#EXTM3U" * 99, mtime=0)[:-9]],
    ids=["no gzip", "gzip that breaks off"],
)
async def test_a_damaged_packing_is_said(stand: Stand, serve: Serve, packed: bytes) -> None:
    """Bytes that are not gzip, and gzip that is cut off."""
    stand.packed_as = packed
    with pytest.raises(LintTargetError, match="its gzip"):
        await lint(f"{await serve(stand)}/main.m3u8")


async def test_a_server_without_ranges_is_not_asked_for_the_film_again_and_again(
    stand: Stand, serve: Serve
) -> None:
    """One segment is enough to know; the report says how little was read."""
    stand.takes_ranges = False
    report = await lint(f"{await serve(stand)}/main.m3u8")
    assert "range-status" in {finding.rule for finding in report.findings}
    assert (report.segments, report.segments_in_all) == (2, 16)
    # Init segment, one media segment, the index, and the open range.
    assert stand.asked.count("aac-64k.mp4") == 4


async def test_a_file_that_is_gone_is_given_up(stand: Stand, serve: Serve) -> None:
    """Three misses of media segments, and no more."""
    stand.missing = frozenset({"aac-64k.mp4"})
    report = await lint(f"{await serve(stand)}/main.m3u8")
    missed = [f for f in report.findings if f.rule == "reachable" and f.line is not None]
    assert {f.what.rpartition(": ")[2] for f in missed} == {"answers 404"}
    # The init segment and three media segments.
    assert len(missed) == 4


async def test_redirects_end(stand: Stand, serve: Serve) -> None:
    """A server that sends in circles is given up."""
    stand.circle = True
    with pytest.raises(LintTargetError, match="redirects more than 5 times"):
        await lint(f"{await serve(stand)}/main.m3u8")


async def test_a_redirected_playlist_is_linted_like_any_other(stand: Stand, serve: Serve) -> None:
    """Its segments are read and measured from where it was found."""
    stand.redirected = frozenset({"aac-64k.m3u8"})
    stand.rewrite(["aac-64k.m3u8"], r"^#EXTINF:5\.760000,$", "#EXTINF:5.762000,", 1)
    report = await lint(f"{await serve(stand)}/main.m3u8")
    assert {"extinf-samples", "playlist-redirect"} <= {finding.rule for finding in report.findings}
    assert report.segments == report.segments_in_all == 16
