"""The page itself: one file that needs nothing beside it but the renditions.

It says only what belongs to the content, and no date of its making: the same track gives the same
page, so a second run changes nothing. It obeys a Content Security Policy of its own, by which
nothing is loaded but the sound, and reads without its style and script too.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from importlib import resources
from urllib.parse import quote

from media.grid import seconds
from media.track import Loudness, Rendition, Track
from packager.quality.findings import Assessment, Finding
from packager.report.curves import loudness_svg, waveform_svg
from packager.report.wording import clock_time, kbps, length, megabytes, plural

_LONGEST_PAUSES = 20


def render_report(
    track: Track,
    assessment: Assessment,
    files_at: str | None,
    target_lufs: float | None = None,
) -> bytes:
    """The report as UTF-8.

    *files_at* stands before the renditions' file names in the players' addresses: "" where the page
    lies beside them, None where a browser cannot get at them and the page has no players.
    """
    style = _asset("report.css")
    script = _asset("report.js")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        # A page that is opened from a folder has an origin that 'self' does not always mean.
        "media-src 'self' file:; base-uri 'none'; form-action 'none'"
    )
    title = f"{track.title}, {track.language}: audio description"
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body><main>",
        f"<h1>{escape(title)}</h1>",
        f'<p class="quiet">Version {track.version} of {escape(track.movie_id)}, '
        f"{length(track.duration_s)}.</p>",
        _facts(track),
        _listen(track, files_at),
        _pictures(track, assessment, target_lufs),
        _findings(assessment.findings),
        _pauses(track),
        _ladder(track),
        f"</main><script>{script}</script></body></html>\n",
    ]
    return "".join(parts).encode()


def _facts(track: Track) -> str:
    facts = [
        ("Source", f"{track.source.name}, {length(seconds(track.source.duration_samples))}"),
        ("SHA-256 of the source", track.source.sha256),
        ("Begins", f"at {track.track_offset_s:g} s of the film"),
    ]
    if track.film_starts_at_s:
        facts.append(("Leader", f"{track.film_starts_at_s:g} s before the film were cut off"))
    if track.conform is not None:
        facts.append(("Conformed", f"{track.conform} frames a second, pitch kept"))
    facts.append(("Gain", f"{track.gain_db:+.1f} dB"))
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    table = ""
    if track.loudness is not None and track.source.loudness is not None:
        table = _table(
            "Loudness by EBU R128",
            ("", "integrated LUFS", "range LU", "true peak dBTP"),
            [_loudness("source", track.source.loudness), _loudness("published", track.loudness)],
            numbers_from=1,
        )
    return f"<h2>What it is</h2><dl>{rows}</dl>{table}"


def _loudness(name: str, loudness: Loudness) -> tuple[str, ...]:
    return (
        name,
        f"{loudness.integrated_lufs:.1f}",
        f"{loudness.range_lu:.1f}",
        f"{loudness.true_peak_dbtp:.1f}",
    )


def _listen(track: Track, files_at: str | None) -> str:
    if files_at is None:
        return (
            "<h2>Listen</h2><p>The files lie where a browser cannot get at them from this page.</p>"
        )
    # The best AAC first: it is what the waveform plays, and every browser plays it.
    order = sorted(track.renditions, key=lambda r: (r.codec != "aac", -r.bit_rate_bps))
    players = "".join(_player(rendition, files_at) for rendition in order)
    return (
        f'<h2>Listen</h2><div class="players">{players}</div>'
        '<p id="seeking" hidden><label for="from">Listen from </label>'
        '<output id="from-said" for="from">00:00:00</output><br>'
        f'<input id="from" type="range" min="0" max="{int(track.duration_s)}" step="1" value="0" '
        'aria-valuetext="00:00:00"> '
        '<button type="button" id="from-play">Play from there</button></p>'
    )


def _player(rendition: Rendition, files_at: str) -> str:
    return (
        f"<figure><figcaption>{rendition.name}</figcaption>"
        f'<audio controls preload="none" aria-label="{rendition.name}" '
        f'src="{escape(files_at + quote(rendition.file_name))}"></audio></figure>'
    )


def _pictures(track: Track, assessment: Assessment, target_lufs: float | None) -> str:
    silences = track.silences or ()
    pauses = [(seconds(begin), seconds(end)) for begin, end in silences]
    marks = [finding.at_s for finding in assessment.findings if finding.at_s is not None]
    wave = (
        f"The sound over {length(track.duration_s)}. Behind it: "
        f"{plural(len(pauses), 'pause')} of the narrator. "
        f"Marked: {plural(len(marks), 'finding')} with a time."
    )
    loud = "Momentary and short-term loudness of each second."
    if track.loudness is not None:
        loud += f" Integrated: {track.loudness.integrated_lufs:.1f} LUFS."
    gain = assessment.prepared.gain_db
    picture = waveform_svg(assessment.waveform, gain, pauses, marks, track.duration_s, wave)
    curve = loudness_svg(
        assessment.momentary_lufs,
        assessment.short_term_lufs,
        gain,
        target_lufs,
        track.duration_s,
        loud,
    )
    return (
        f"<h2>Waveform</h2>{picture}<p>{escape(wave)}</p><h2>Loudness over time</h2>{curve}"
        f"<p>{escape(loud)}</p>"
    )


def _findings(findings: Sequence[Finding]) -> str:
    if not findings:
        return "<h2>Findings</h2><p>The quality check found nothing to say.</p>"
    rows = [
        (
            finding.severity.value + (" (accepted)" if finding.accepted else ""),
            finding.code,
            finding.at_s,
            finding.what,
            finding.mend,
        )
        for finding in findings
    ]
    cells = [
        "".join(
            f"<td>{_time_button(cell) if isinstance(cell, float) else escape(str(cell or ''))}</td>"
            for cell in row
        )
        for row in rows
    ]
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    heads = "".join(
        f'<th scope="col">{name}</th>' for name in ("severity", "code", "at", "what", "mend")
    )
    return (
        '<h2>Findings</h2><div class="scroll" tabindex="0" role="region" aria-label="Findings">'
        "<table><caption>What the quality check found</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _time_button(at_s: float) -> str:
    return f'<button type="button" data-at="{at_s:.3f}">{clock_time(at_s)}</button>'


def _pauses(track: Track) -> str:
    if track.silences is None:
        return ""
    pauses = [(seconds(begin), seconds(end)) for begin, end in track.silences]
    total = length(sum(end - begin for begin, end in pauses))
    longest = sorted(pauses, key=lambda pause: (pause[0] - pause[1], pause[0]))[:_LONGEST_PAUSES]
    items = "".join(
        f"<li>{_time_button(begin)} for {length(end - begin)}</li>" for begin, end in longest
    )
    return (
        f"<h2>Pauses</h2><p>{plural(len(pauses), 'pause')} of the narrator, {total} together: "
        "where the app may correct its place unheard.</p>"
        + (f"<details><summary>The longest</summary><ul>{items}</ul></details>" if items else "")
    )


def _ladder(track: Track) -> str:
    rows = [
        (
            rendition.name,
            rendition.codecs,
            kbps(rendition.average_bps),
            kbps(rendition.peak_bps),
            megabytes(rendition.size_bytes),
            "" if rendition.loudness_lufs is None else f"{rendition.loudness_lufs:.1f}",
        )
        for rendition in track.renditions
    ]
    heads = ("rendition", "codec", "average kbit/s", "peak kbit/s", "MB", "LUFS")
    return "<h2>Ladder</h2>" + _table("The renditions", heads, rows, numbers_from=2)


def _table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], numbers_from: int
) -> str:
    def kind(column: int) -> str:
        return ' class="number"' if column >= numbers_from else ""

    head = "".join(
        f'<th scope="col"{kind(i)}>{escape(text)}</th>' if text else "<td></td>"
        for i, text in enumerate(heads)
    )
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td{kind(i)}>{escape(cell)}</td>" for i, cell in enumerate(row[1:], start=1))
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _asset(name: str) -> str:
    return resources.files("packager.report").joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """What a policy names an inline element by (Content Security Policy Level 3, 2.3.1)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
