"""The way of a source to a published track: check, encode and mux, verify, publish."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from media.grid import SAMPLE_RATE_HZ
from media.storage import Hold, WritableStorage
from media.track import FindingNote, Rendition, Source, Track
from packager.cores import slots
from packager.encoding.ladder import padded_samples, parse_ladder
from packager.errors import VerifyError
from packager.ffmpeg import Tools
from packager.lint.findings import Severity as LintSeverity
from packager.lint.run import lint_track
from packager.order import TrackOrder
from packager.progress import Progress, Silent
from packager.publishing.locking import locked, this_run, track_folder
from packager.publishing.pointer import Switched
from packager.publishing.publish import Publication
from packager.publishing.version import NO_VERSION, content_version
from packager.quality.assess import assess
from packager.quality.findings import Assessment
from packager.renditions import finished_files, make_verified
from packager.report.page import render_report
from packager.settings import PackagerSection
from packager.source.probe import SourceClaims, probe
from packager.verification.playlists import verify_playlists
from packager.work import work_folder, work_parent

_log = structlog.get_logger()

# What follows from the rungs that config.toml asks for is no fault of a file: it is warned of.
_LADDERS_CHOICE = frozenset({"cellular-variant"})

__all__ = ["Packaged", "TrackOrder", "add_track", "package"]


@dataclass(frozen=True, slots=True)
class Packaged:
    """A published track, the version that was current before, and what was measured on the way."""

    track: Track
    before: str | None
    assessment: Assessment


async def add_track(
    order: TrackOrder,
    storage: WritableStorage,
    tools: Tools,
    settings: PackagerSection,
    progress: Progress | None = None,
    *,
    clock: Callable[[], datetime],
) -> Track:
    """As `package`; the track alone."""
    return (await package(order, storage, tools, settings, progress, clock=clock)).track


async def package(
    order: TrackOrder,
    storage: WritableStorage,
    tools: Tools,
    settings: PackagerSection,
    progress: Progress | None = None,
    *,
    clock: Callable[[], datetime],
) -> Packaged:
    """Package *order* and make it the current track of its movie and language.

    Raises PackagerError or InvalidIdError; then, and when it is cancelled, the track that was
    current still is and no child process is left. The work folder is gone too, unless renditions in
    it are finished: a second run with the same order goes on from them.
    """
    told = Silent() if progress is None else progress
    folder_key = track_folder(order.movie_id, order.language)
    parent = work_parent(settings.work_dir)
    async with (
        locked(storage, order.movie_id, order.language) as hold,
        work_folder(
            parent,
            f"{order.movie_id}/{order.language}",
            storage.where(folder_key),
            this_run(),
            finished_files,
        ) as folder,
    ):
        work = _Work(order, folder, tools, settings, told)
        assessment = await work.assess()
        renditions = await work.make(assessment)
        track = describe(order, assessment, renditions)
        await asyncio.to_thread(work.check_playlists, track)
        switched = await work.publish(track, assessment, storage, hold, clock)
    _log.info("published", movie_id=track.movie_id, language=track.language, version=track.version)
    return Packaged(track, switched.before, assessment)


class _Work:
    """The stages of one order, each told to *progress*."""

    def __init__(
        self,
        order: TrackOrder,
        folder: Path,
        tools: Tools,
        settings: PackagerSection,
        progress: Progress,
    ) -> None:
        self._order = order
        self._folder = folder
        self._tools = tools
        self._settings = settings
        self._progress = progress

    async def assess(self) -> Assessment:
        """Decode the source once and check it."""
        task = "check source"
        claims = await probe(self._order.source, self._tools)
        self._progress.begin(task, _expected_samples(claims, self._order))
        assessment = await assess(
            self._order.source_order,
            self._folder,
            self._tools,
            self._settings.quality,
            lambda samples: self._progress.advance(task, samples),
        )
        self._progress.end(task)
        for finding in assessment.findings:
            _log.info("finding", code=finding.code, what=finding.what)
        return assessment

    async def make(self, assessment: Assessment) -> tuple[Rendition, ...]:
        """Encode the ladder and verify each file of it."""
        return await make_verified(
            assessment,
            parse_ladder(self._settings.ladder),
            self._order.language,
            self._folder,
            self._tools,
            slots(self._settings.processes),
            self._progress,
        )

    def check_playlists(self, track: Track) -> None:
        """Compare the playlists with the index, and lint them with the files; raises VerifyError.

        A warning of the linter stops nothing: it is about what a listener's network may make of
        the sound (a rate that peaks), not about what is wrong.
        """
        verify_playlists(track)
        files = {each.name: self._folder / each.file_name for each in track.renditions}
        report = lint_track(track, files)
        for finding in report.findings:
            if finding.severity is LintSeverity.ERROR and finding.rule not in _LADDERS_CHOICE:
                raise VerifyError(finding.where, f"{finding.rule}: {finding.what}")
            _log.warning("lint", rule=finding.rule, where=finding.where, what=finding.what)

    async def publish(
        self,
        track: Track,
        assessment: Assessment,
        storage: WritableStorage,
        hold: Hold,
        clock: Callable[[], datetime],
    ) -> Switched:
        """Store the version and make it current."""
        task = "publish"
        length = track.duration_samples
        self._progress.begin(task, len(track.renditions) * length)
        target_lufs = self._settings.quality.target_lufs
        report = await asyncio.to_thread(render_report, track, assessment, "", target_lufs)
        switched = await Publication(track, storage, hold).publish(
            {each.name: self._folder / each.file_name for each in track.renditions},
            report,
            clock,
            lambda stored: self._progress.advance(task, stored * length),
        )
        self._progress.end(task)
        return switched


def _expected_samples(claims: SourceClaims, order: TrackOrder) -> int | None:
    """How many samples the source will be decoded to, by what it says of itself."""
    if claims.declared_s is None:
        return None
    samples = round(claims.declared_s * SAMPLE_RATE_HZ)
    return samples if order.conform is None else order.conform.samples(samples)


def describe(order: TrackOrder, assessment: Assessment, renditions: tuple[Rendition, ...]) -> Track:
    """The track that *renditions* make, with the version that its content has."""
    track = Track(
        movie_id=order.movie_id,
        language=order.language,
        version=NO_VERSION,
        title=order.title,
        duration_samples=padded_samples(assessment.prepared.samples),
        track_offset_s=order.track_offset_s,
        source=Source(
            name=order.source.name,
            sha256=assessment.source_sha256,
            duration_samples=assessment.prepared.samples,
            loudness=assessment.source_loudness,
        ),
        loudness=assessment.loudness,
        gain_db=assessment.prepared.gain_db,
        conform=None if order.conform is None else str(order.conform),
        film_starts_at_s=order.film_starts_at_s,
        findings=tuple(
            FindingNote(
                code=finding.code,
                severity=finding.severity.value,
                at_s=finding.at_s,
                accepted=finding.accepted,
            )
            for finding in assessment.findings
        ),
        silences=assessment.silences,
        renditions=renditions,
    )
    return track.model_copy(update={"version": content_version(track)})
