"""Makes all renditions of a track, each verified as soon as it is encoded, on all cores."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from media.track import Rendition
from packager.encoding.balance import Job, run_balanced
from packager.encoding.costs import encode_cost, verify_cost
from packager.encoding.finished import done_result, finished_names, remove_unfinished, write_done
from packager.encoding.ladder import Rung, padded_samples
from packager.encoding.renditions import Recipe, encode_rendition
from packager.errors import WorkFolderError
from packager.ffmpeg import Tools
from packager.progress import Progress
from packager.quality.findings import Assessment
from packager.verification.reference import Reference, read_reference
from packager.verification.rendition import VerifiedRendition, verify_rendition

_FILE_SUFFIX = ".mp4"


async def make_verified(
    assessment: Assessment,
    ladder: tuple[Rung, ...],
    language: str,
    folder: Path,
    tools: Tools,
    slots: Sequence[int | None],
    progress: Progress,
) -> tuple[Rendition, ...]:
    """Make every rung of *ladder* in *folder*, under its file name, in the ladder's order.

    One encoder or decoder runs in each of *slots* (balance.py). What a run before this one has
    finished in *folder*, from the same sound and with the same settings, is taken as it is. Raises
    EncodeError, VerifyError, WorkFolderError.
    """
    recipe = Recipe(
        assessment.prepared,
        padded_samples(assessment.prepared.samples),
        language,
        assessment.loudness,
    )
    verified = await make_renditions(recipe, ladder, folder, tools, slots, progress)
    return tuple(each.rendition for each in verified)


async def make_renditions(
    recipe: Recipe,
    ladder: tuple[Rung, ...],
    folder: Path,
    tools: Tools,
    slots: Sequence[int | None],
    progress: Progress,
) -> tuple[VerifiedRendition, ...]:
    """As `make_verified`, with what was measured of each rendition."""
    return await _Making(recipe, folder, tools, progress).all(ladder, slots)


def finished_files(folder: Path) -> list[str]:
    """Names of the renditions in *folder* that a second run need not make again."""
    return [name.removesuffix(_FILE_SUFFIX) for name in finished_names(folder)]


def _path(folder: Path, rung: Rung) -> Path:
    return folder / f"{rung.name}{_FILE_SUFFIX}"


class _Note(BaseModel):
    """What the note of a finished file keeps of its verification."""

    rendition: Rendition
    lags: tuple[float, ...]
    loudness_lufs: float


class _Making:
    def __init__(self, recipe: Recipe, folder: Path, tools: Tools, progress: Progress) -> None:
        self._recipe = recipe
        self._folder = folder
        self._tools = tools
        self._progress = progress
        self._reference: asyncio.Future[Reference] = asyncio.get_running_loop().create_future()
        self._verified: dict[str, VerifiedRendition] = {}

    async def all(
        self, ladder: tuple[Rung, ...], slots: Sequence[int | None]
    ) -> tuple[VerifiedRendition, ...]:
        """Make what is missing; the reference is read beside the first encoders."""
        jobs = [self._job(rung) for rung in ladder]
        if finished_names(self._folder):
            # What is finished can be told only by the sound that it was made from.
            await self._read_reference()
            for rung in ladder:
                await asyncio.to_thread(self._take_finished, rung)
            jobs = [self._job(rung) for rung in ladder if rung.name not in self._verified]
        else:
            jobs.append(Job(math.inf, lambda _core: self._read_reference()))
        await run_balanced(jobs, slots)
        return tuple(self._verified[rung.name] for rung in ladder)

    def _job(self, rung: Rung) -> Job:
        verify = Job(verify_cost(rung), lambda core: self._verify(rung, core))
        return Job(encode_cost(rung), lambda core: self._encode(rung, core), then=(verify,))

    async def _read_reference(self) -> None:
        task = "read prepared sound"
        self._progress.begin(task, self._recipe.prepared.samples)
        self._reference.set_result(
            await asyncio.to_thread(
                read_reference,
                self._recipe.prepared,
                self._recipe.length_samples,
                lambda samples: self._progress.advance(task, samples),
            )
        )
        self._progress.end(task)

    def _take_finished(self, rung: Rung) -> None:
        result = done_result(_path(self._folder, rung), self._key(rung))
        # A note of an older version of ours has another form: then the file is made again.
        with contextlib.suppress(ValidationError):
            if result is not None:
                note = _Note.model_validate_json(result)
                self._verified[rung.name] = VerifiedRendition(
                    note.rendition, note.lags, note.loudness_lufs
                )

    def _key(self, rung: Rung) -> str:
        return self._recipe.key(rung, self._reference.result().sha256, self._tools)

    async def _encode(self, rung: Rung, core: int | None) -> None:
        task = f"encode {rung.name}"
        path = _path(self._folder, rung)
        self._progress.begin(task, self._recipe.length_samples)
        try:
            # What a killed run left, or what was made from another sound.
            remove_unfinished(path)
        except OSError as error:
            raise WorkFolderError(str(path), error.strerror or str(error)) from error
        await encode_rendition(
            self._recipe,
            rung,
            path,
            self._tools,
            lambda samples: self._progress.advance(task, samples),
            core,
        )
        self._progress.end(task)

    async def _verify(self, rung: Rung, core: int | None) -> None:
        task = f"verify {rung.name}"
        path = _path(self._folder, rung)
        self._progress.begin(task, self._recipe.length_samples)
        verified = await verify_rendition(
            path,
            rung,
            # On many cores a short sound is encoded before the reference is read.
            await asyncio.shield(self._reference),
            self._recipe.loudness,
            self._tools,
            lambda samples: self._progress.advance(task, samples),
            core,
        )
        note = _Note(
            rendition=verified.rendition, lags=verified.lags, loudness_lufs=verified.loudness_lufs
        )
        try:
            await asyncio.to_thread(write_done, path, self._key(rung), note.model_dump_json())
        except OSError as error:
            raise WorkFolderError(str(path), error.strerror or str(error)) from error
        self._verified[rung.name] = verified
        self._progress.end(task)
