"""Lints a folder or an address: loads it, lets every rule look at it, and reports."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from media.track import Track
from packager.lint.answers import shown
from packager.lint.findings import Finding, LintReport, Severity
from packager.lint.folder import load_folder, load_rendered
from packager.lint.presentation import Presentation
from packager.lint.registry import Rule
from packager.lint.rules import RULES
from packager.lint.web import load_url


async def lint(
    target: str, *, most_segments: int | None = None, timeout_s: float = 30.0
) -> LintReport:
    """Lint *target*: an http(s) address of a playlist, else a version folder.

    *most_segments* bounds what is read of each Media Playlist of a server (None: everything), and
    *timeout_s* each request. Raises LintTargetError where there is nothing to lint.
    """
    if target.lower().startswith(("http://", "https://")):
        return await lint_url(target, most_segments=most_segments, timeout_s=timeout_s)
    return await asyncio.to_thread(lint_folder, Path(target))


async def lint_url(
    url: str, *, most_segments: int | None = None, timeout_s: float = 30.0
) -> LintReport:
    """Lint what the playlist at *url* leads to, on any server; raises LintTargetError."""
    presentation = await load_url(url, most_segments=most_segments, timeout_s=timeout_s)
    return check(shown(url), [presentation])


def lint_folder(folder: Path) -> LintReport:
    """Lint a published version: track.json, its playlists and its files; raises LintTargetError.

    Reads every file, so call it in a thread.
    """
    return check(str(folder), load_folder(folder))


def lint_track(track: Track, files: Mapping[str, Path]) -> LintReport:
    """Lint a track before it is published; *files* holds the renditions' files by name."""
    return check(f"{track.movie_id}/{track.language}", load_rendered(track, files))


def check(
    target: str, presentations: Iterable[Presentation], rules: Sequence[Rule] = RULES
) -> LintReport:
    """Let every rule look at every presentation, of which one is held at a time; pure."""
    found: list[Finding] = []
    counts: Counter[str] = Counter()
    for presentation in presentations:
        for rule in rules:
            found += rule.findings(presentation)
        counts.update(_counts(presentation))
        # Before the next one is read.
        del presentation
    # Errors first; within them what was looked at first, from the outside in.
    found.sort(key=lambda finding: finding.severity is not Severity.ERROR)
    return LintReport(
        target=target,
        findings=tuple(dict.fromkeys(found)),
        rules=len(rules),
        playlists=counts["playlists"],
        segments=counts["segments"],
        segments_in_all=counts["segments_in_all"],
    )


def _counts(presentation: Presentation) -> dict[str, int]:
    segments = [segment for _, reading in presentation.read for segment in reading.segments]
    return {
        "playlists": len(list(presentation.playlists)),
        "segments": sum(segment is not None for segment in segments),
        "segments_in_all": len(segments),
    }
