"""The summary that fits into a ticket: a few plain lines about a published track."""

from __future__ import annotations

from collections.abc import Sequence

from media.grid import seconds
from media.track import Track
from packager.quality.findings import Finding
from packager.report.wording import clock_time, kbps, length, megabytes, plural


def summary(track: Track, findings: Sequence[Finding], before: str | None, where: str) -> str:
    """Lines for people, ending in a newline.

    *before* is the version that was current until then, *where* where the version lies.
    """
    changed = "first version" if before is None else f"before: {before}"
    if before == track.version:
        changed = "unchanged"
    lines = [
        f"published {track.movie_id}/{track.language} version {track.version} ({changed})",
        f"  title     {track.title}",
        f"  sound     {_sound(track)}",
    ]
    if track.loudness is not None:
        lines.append(f"  loudness  {_loudness(track)}")
    total = megabytes(sum(r.size_bytes for r in track.renditions))
    rates = ", ".join(f"{r.name} ({kbps(r.average_bps)} kbit/s)" for r in track.renditions)
    lines.append(f"  ladder    {rates}; {total} MB")
    if track.silences is not None:
        paused_s = sum(seconds(end - begin) for begin, end in track.silences)
        lines.append(f"  pauses    {len(track.silences)}, {length(paused_s)} together")
    lines.append(f"  findings  {_counts(findings)}")
    lines.extend(f"    {finding_line(finding)}" for finding in findings)
    lines.append(f"  files     {where}")
    return "\n".join(lines) + "\n"


def finding_line(finding: Finding) -> str:
    """One finding in one line, its mend after it."""
    at = "" if finding.at_s is None else f" at {clock_time(finding.at_s)}"
    accepted = ", accepted" if finding.accepted else ""
    return f"{finding.severity.value}{accepted}: {finding.code}{at}: {finding.what}; {finding.mend}"


def _sound(track: Track) -> str:
    words = [f"{length(track.duration_s)} from {track.source.name}"]
    if track.conform is not None:
        words.append(f"conformed {track.conform}")
    if track.film_starts_at_s:
        words.append(f"{track.film_starts_at_s:g} s of leader cut")
    words.append(f"begins at {track.track_offset_s:g} s of the film")
    return ", ".join(words)


def _loudness(track: Track) -> str:
    loudness, source = track.loudness, track.source.loudness
    if loudness is None:
        return "not measured"
    text = (
        f"{loudness.integrated_lufs:.1f} LUFS, range {loudness.range_lu:.1f} LU, "
        f"true peak {loudness.true_peak_dbtp:.1f} dBTP"
    )
    if source is None:
        return text
    return f"{text} (source {source.integrated_lufs:.1f} LUFS, gain {track.gain_db:+.1f} dB)"


def _counts(findings: Sequence[Finding]) -> str:
    if not findings:
        return "none"
    kinds = [finding.severity.value for finding in findings]
    return ", ".join(plural(kinds.count(kind), kind) for kind in dict.fromkeys(kinds))
