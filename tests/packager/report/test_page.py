"""The report as its readers meet it: its text, and the page in a real Chromium under axe-core."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.async_api import Page

from demo import browser as browsing
from media.grid import FRAGMENT_SAMPLES, SAMPLE_RATE_HZ
from media.track import Loudness, Track
from packager.quality.findings import Assessment, Finding, Severity
from packager.report.page import render_report
from packager.report.summary import summary
from packager.source.prepared import Prepared
from tests.media.tracks import make_track
from tests.packager.conftest import Published

AXE = Path(__file__).parents[3] / "node_modules/axe-core/axe.min.js"
RUN = """axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
                             "best-practice"] })"""
LOUDNESS = Loudness(integrated_lufs=-18.0, range_lu=7.5, true_peak_dbtp=-1.4)
FINDINGS = (
    Finding("clipping", Severity.ERROR, 3723.5, 3724.0, "is <clipped>", "ask again", accepted=True),
    Finding("running-time-unknown", Severity.WARNING, None, None, "nobody said", "say it"),
)


def _described(hours: float = 2.0, **changes: Any) -> tuple[Track, Assessment]:
    """A track of *hours* and what was measured of it."""
    track = make_track(round(hours * 3600 * SAMPLE_RATE_HZ / FRAGMENT_SAMPLES)).model_copy(
        update={
            "title": "One <Week> & more",
            "loudness": LOUDNESS,
            "gain_db": 4.1,
            "silences": ((48_000, 96_000), (480_000, 960_000)),
            **changes,
        }
    )
    tenths = round(track.duration_s * 10)
    chance = np.random.default_rng(1)
    peaks = chance.uniform(0, 0.8, tenths).astype(np.float32)
    seconds = np.full(tenths // 10, -30.0, np.float32)
    seconds[::7] = -np.inf
    assessment = Assessment(
        source_sha256="cd" * 32,
        source_loudness=LOUDNESS,
        loudness=LOUDNESS,
        prepared=Prepared(Path("prepared.f32"), track.duration_samples, 4.1),
        findings=FINDINGS,
        silences=track.silences or (),
        waveform=np.stack((-peaks, peaks), axis=1),
        momentary_lufs=seconds,
        short_term_lufs=seconds,
    )
    return track, assessment


class _Outline(HTMLParser):
    """Elements with their attributes, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def _outline(page: bytes) -> list[tuple[str, dict[str, str | None]]]:
    outline = _Outline()
    outline.feed(page.decode())
    return outline.elements


def test_two_hours_fit_into_one_small_page() -> None:
    """The curves are drawn in a thousand columns however long the track is."""
    track, assessment = _described()
    page = render_report(track, assessment, "", target_lufs=-18.0)
    assert len(page) < 200_000
    assert page == render_report(track, assessment, "", target_lufs=-18.0)
    text = page.decode()
    assert "One &lt;Week&gt; &amp; more" in text
    assert "is &lt;clipped&gt;" in text
    assert "error (accepted)" in text
    assert "nan" not in text
    assert "inf" not in text.replace("information", "")


def test_nothing_is_loaded_and_nothing_inline_is_refused() -> None:
    """No address but the players', no style attribute, no handler: its own policy forbids them."""
    elements = _outline(render_report(*_described(0.1), "elsewhere/"))
    for tag, attributes in elements:
        assert not {"style", "href", "onclick", "srcset"} & set(attributes), (tag, attributes)
        if "src" in attributes:
            assert tag == "audio"
            assert re.fullmatch(r"elsewhere/(aac|opus)-\d+k\.mp4", attributes["src"] or "")
    (policy,) = [a["content"] for t, a in elements if t == "meta" and "http-equiv" in a]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_without_files_there_are_no_players() -> None:
    """A report of a bucket that is written to a laptop says why it cannot be listened to."""
    page = render_report(*_described(0.1), None)
    assert "audio" not in {tag for tag, _ in _outline(page)}
    assert b"cannot get at them" in page


def test_a_track_of_a_second_has_its_curves() -> None:
    """Less sound than the picture has columns, and no loudness at all."""
    track, assessment = _described(0.001, silences=(), loudness=None)
    page = render_report(track, assessment, "").decode()
    assert page.count("<svg") == 2
    assert "0 pauses" in page


def test_summary_is_a_few_plain_lines() -> None:
    """What goes into a ticket: the version, the sound, the loudness, the ladder, the findings."""
    track, _ = _described(conform="25:24", film_starts_at_s=8.0)
    assert summary(track, FINDINGS, None, "/films/one-week") == (
        "published one-week/en version 0123456789abcdef (first version)\n"
        "  title     One <Week> & more\n"
        "  sound     2 h 0 min 0.0 s from master.wav, conformed 25:24, 8 s of leader cut, "
        "begins at 0 s of the film\n"
        "  loudness  -18.0 LUFS, range 7.5 LU, true peak -1.4 dBTP\n"
        "  ladder    aac-32k (32.0 kbit/s), aac-64k (64.0 kbit/s), opus-24k (24.0 kbit/s); "
        "90.00 MB\n"
        "  pauses    2, 11.0 s together\n"
        "  findings  1 error, 1 warning\n"
        "    error, accepted: clipping at 1:02:03: is <clipped>; ask again\n"
        "    warning: running-time-unknown: nobody said; say it\n"
        "  files     /films/one-week\n"
    )


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_published_report_in_a_browser(published: Published, scheme: str) -> None:
    """Opened from its folder: no violation of WCAG 2.2 AA, and a time moves the player there."""
    if (missing := browsing.available()) is not None:
        pytest.skip(f"NOT TESTED: {missing}")
    path = published.storage.path(f"{published.track.prefix}/report.html")
    async with browsing.chromium() as browser:
        page = await browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        await page.goto(path.as_uri())
        await page.get_by_role("slider").fill("5")
        at_s = await page.evaluate(
            """async () => {
              const player = document.querySelector("audio");
              const playing = new Promise((done) =>
                player.addEventListener("playing", done, { once: true }));
              document.getElementById("from-play").click();
              const at = player.currentTime;
              await playing;
              return at;
            }"""
        )
        assert at_s == 5
        assert await page.evaluate("document.querySelector('audio').error") is None
        await page.evaluate("document.querySelector('audio').pause()")
        assert await _violations(page) == []
        await page.close()
    # A policy that refused our own style, script or sound would say so here.
    assert said == []


async def _violations(page: Page) -> list[str]:
    """What axe finds, a line for each rule with the elements; [] is what we want."""
    # Evaluated from outside the page, so its own strict policy stays in force.
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    results: dict[str, Any] = await page.evaluate(RUN)
    assert len(results["passes"]) > 10, "axe has checked next to nothing"
    return [
        f"{rule['id']}: {', '.join(str(node['target']) for node in rule['nodes'])}"
        for rule in results["violations"]
    ]
