"""The way of a source to a published track: probe, check, encode and mux, verify, publish."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from media.errors import TrackFormatError
from media.grid import SAMPLE_RATE_HZ
from media.ids import check_id, check_language
from media.storage import Storage
from media.track import Rendition, Source, Track
from packager.check import CheckedSource, check_source
from packager.encode import encode_command
from packager.errors import EncodeError, ToolFailedError, WorkFolderError
from packager.ffmpeg import Run, Tools
from packager.ladder import Rung, padded_samples, parse_ladder
from packager.mux import RenditionFile
from packager.probe import SourceClaims, probe
from packager.progress import Progress, Silent
from packager.publish import content_version, publish
from packager.settings import PackagerSection
from packager.verify import verify_playlists, verify_rendition

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TrackOrder:
    """What to package. `track_offset_s` is where its sample 0 lies on the movie's timeline."""

    source: Path
    movie_id: str
    language: str
    title: str
    track_offset_s: float = 0.0


async def add_track(
    order: TrackOrder,
    storage: Storage,
    tools: Tools,
    settings: PackagerSection,
    progress: Progress | None = None,
) -> Track:
    """Package *order* and make it the current track of its movie and language.

    Raises PackagerError or InvalidIdError; then, and when it is cancelled, the track that was
    current still is, no child process is left and the work folder is gone.
    """
    told = Silent() if progress is None else progress
    check_id("movie_id", order.movie_id)
    check_language(order.language)
    ladder = parse_ladder(settings.ladder)
    claims = await probe(order.source, tools)
    if claims.audio_tracks > 1:
        _log.warning("only the first audio track is used", tracks=claims.audio_tracks)
    checked = await _check(claims, tools, told)
    async with _work_folder(settings.work_dir) as folder:
        maker = _RenditionMaker(order, checked, folder, tools, told)
        renditions = await maker.make_all(ladder, settings.processes or _cores())
        track = _track(order, checked, maker.length_samples, renditions)
        verify_playlists(track)
        task = "publish"
        told.begin(task, len(renditions) * track.duration_samples)
        files = {rendition.name: maker.path(rendition.name) for rendition in renditions}
        await publish(
            track,
            files,
            storage,
            lambda stored: told.advance(task, stored * track.duration_samples),
        )
        told.end(task)
    _log.info("published", movie_id=track.movie_id, language=track.language, version=track.version)
    return track


class _RenditionMaker:
    """Encodes, muxes and verifies the rungs of one order, some at a time."""

    def __init__(
        self,
        order: TrackOrder,
        checked: CheckedSource,
        folder: Path,
        tools: Tools,
        progress: Progress,
    ) -> None:
        self._order = order
        self._checked = checked
        self._folder = folder
        self._tools = tools
        self._progress = progress
        self.length_samples = padded_samples(checked.duration_samples)

    def path(self, name: str) -> Path:
        """Where the rendition of that name is made."""
        return self._folder / f"{name}.mp4"

    async def make_all(self, ladder: tuple[Rung, ...], processes: int) -> tuple[Rendition, ...]:
        """Make every rung, at most *processes* at once; in the ladder's order."""
        slots = asyncio.Semaphore(processes)

        async def make(rung: Rung) -> Rendition:
            async with slots:
                await self._encode(rung)
                return await self._verify(rung)

        tasks = [asyncio.ensure_future(make(rung)) for rung in ladder]
        try:
            return tuple(await asyncio.gather(*tasks))
        finally:
            # The first failure (or Ctrl-C) stops the others, and they stop their children, before
            # the folder under them goes.
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _encode(self, rung: Rung) -> None:
        task = f"encode {rung.name}"
        path = self.path(rung.name)
        command = encode_command(self._order.source, rung, self.length_samples, self._tools.ffmpeg)
        self._progress.begin(task, self.length_samples)
        try:
            with RenditionFile(path, self.length_samples, self._order.language) as file:
                async with Run(rung.name, command) as run:
                    async for block in run.blocks():
                        file.feed(block)
                        self._progress.advance(task, file.samples)
                file.finish()
        except ToolFailedError as error:
            raise EncodeError(rung.name, error.what) from error
        except TrackFormatError as error:
            raise EncodeError(rung.name, str(error)) from error
        except OSError as error:
            raise WorkFolderError(str(path), error.strerror or str(error)) from error
        self._progress.end(task)

    async def _verify(self, rung: Rung) -> Rendition:
        task = f"verify {rung.name}"
        self._progress.begin(task, self.length_samples)
        rendition = await verify_rendition(
            self.path(rung.name),
            rung,
            self.length_samples,
            self._checked.windows,
            self._tools,
            lambda samples: self._progress.advance(task, samples),
        )
        self._progress.end(task)
        return rendition


async def _check(claims: SourceClaims, tools: Tools, progress: Progress) -> CheckedSource:
    task = "check source"
    declared = claims.declared_s
    progress.begin(task, None if declared is None else round(declared * SAMPLE_RATE_HZ))
    checked = await check_source(claims, tools, lambda samples: progress.advance(task, samples))
    progress.end(task)
    return checked


def _track(
    order: TrackOrder,
    checked: CheckedSource,
    length_samples: int,
    renditions: tuple[Rendition, ...],
) -> Track:
    version = content_version(
        movie_id=order.movie_id,
        language=order.language,
        title=order.title,
        track_offset_s=order.track_offset_s,
        duration_samples=length_samples,
        source_sha256=checked.sha256,
        renditions=renditions,
    )
    return Track(
        movie_id=order.movie_id,
        language=order.language,
        version=version,
        title=order.title,
        duration_samples=length_samples,
        track_offset_s=order.track_offset_s,
        source=Source(
            name=order.source.name,
            sha256=checked.sha256,
            duration_samples=checked.duration_samples,
        ),
        renditions=renditions,
    )


@asynccontextmanager
async def _work_folder(parent: str) -> AsyncIterator[Path]:
    """Make a folder for one run, removed at its end whatever happens."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="tell-package-", dir=parent or None))
    except OSError as error:
        where = parent or tempfile.gettempdir()
        raise WorkFolderError(where, error.strerror or str(error)) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _cores() -> int:
    """Cores that this process may use, which in a container are fewer than the machine has."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1
