"""Every rendition is read again as a stranger's file, decoded, and compared with the source."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog

from media.bandwidth import average_bps, peak_bps
from media.cmaf import CmafIndex, read_cmaf
from media.errors import TrackFormatError
from media.grid import FRAGMENT_SAMPLES, SAMPLE_RATE_HZ
from media.hls import TARGET_DURATION_S
from media.track import Loudness, Rendition, group_segments
from packager.digest import file_sha256, piece_checksums
from packager.encoding.ladder import Rung
from packager.errors import ToolFailedError, VerifyError
from packager.ffmpeg import Tools
from packager.verification.decoding import decode_blocks, decode_command
from packager.verification.lags import Lag, Sound, WindowFinder
from packager.verification.levels import STEP_SAMPLES, Energies, energies, loudness_lufs, to_lufs
from packager.verification.reference import Reference

_log = structlog.get_logger()

# Alignment must be better than one sample, in the beginning, the middle and the end.
MOST_LAG_SAMPLES = 1.0
# One place may be mistaken by a codec's phase, but not by what an encoder's priming would be.
_MOST_SINGLE_LAG_SAMPLES = 16.0
_CLEARLY_LIKE = 0.5
# By how much a rendition may be louder or softer than the prepared sound after its gain.
MOST_LOUDNESS_ERROR_LU = 0.5
# Of noisy sound a low rate keeps less: what it cannot spell out it leaves away.
_MOST_LOUDNESS_ERROR_LOW_LU = 1.0
_LOW_RATE_BPS = 32_000
# The same for each second of it that is louder than the floor: no codec does this, a hole does.
_MOST_LEVEL_ERROR_LU = 6.0
_LEVEL_FLOOR_LUFS = -45.0
_STEPS_A_SECOND = SAMPLE_RATE_HZ // STEP_SAMPLES


@dataclass(frozen=True, slots=True)
class VerifiedRendition:
    """A rendition that passed, with what was measured.

    `lags` are of its beginning, middle and end, in samples, positive where it is late; there are
    fewer where there is nothing to measure. `loudness_lufs` is that of the decoded sound.
    """

    rendition: Rendition
    lags: tuple[float, ...]
    loudness_lufs: float


async def verify_rendition(
    path: Path,
    rung: Rung,
    reference: Reference,
    loudness: Loudness,
    tools: Tools,
    on_samples: Callable[[int], None],
    core: int | None = None,
) -> VerifiedRendition:
    """Check structure, decoded length, alignment and loudness of *path*; raises VerifyError.

    *loudness* is that of the prepared sound after its gain. *on_samples* is told how many samples
    are decoded; *core* is the decoder's own.
    """
    index = await asyncio.to_thread(read_structure, path, rung, reference.length_samples)
    decoded = DecodedSound(reference, on_samples)
    await decode_whole(path, rung.name, reference.length_samples, tools, decoded.feed, core)
    lags = check_lags(rung.name, decoded.lags(), reference.length_samples)
    difference_lu = check_levels(rung, decoded.energies(), reference.energies)
    loudness_lufs = round(loudness.integrated_lufs + difference_lu, 2)
    rendition = Rendition(
        name=rung.name,
        codec=rung.codec,
        codecs=index.entry.codecs,
        channels=index.entry.channels,
        bit_rate_bps=rung.bit_rate_bps,
        peak_bps=peak_bps(index.segments, TARGET_DURATION_S),
        average_bps=average_bps(index.segments),
        size_bytes=index.size_bytes,
        sha256=await asyncio.to_thread(file_sha256, path),
        loudness_lufs=loudness_lufs,
        init=index.init,
        fragments=index.fragments,
        segments=index.segments,
        segment_crc32=await asyncio.to_thread(piece_checksums, path, index.segments),
    )
    return VerifiedRendition(rendition, lags, loudness_lufs)


class DecodedSound:
    """Takes decoded blocks of whole tenths of a second, and measures what the reference has."""

    def __init__(self, reference: Reference, on_samples: Callable[[int], None]) -> None:
        self._finder = WindowFinder(reference.windows)
        self._levels: list[Energies] = []
        self._on_samples = on_samples
        self._samples = 0

    def feed(self, block: Sound) -> None:
        """Look at the next *block*."""
        self._finder.feed(block)
        padding = -len(block) % STEP_SAMPLES
        self._levels.append(energies(np.pad(block, (0, padding)) if padding else block))
        self._samples += len(block)
        self._on_samples(self._samples)

    def lags(self) -> tuple[Lag, ...]:
        """By how much the sound lies beside its place; call it at the end."""
        return self._finder.finish()

    def energies(self) -> Energies:
        """K-weighted mean square of each 0.1 s."""
        return np.concatenate(self._levels) if self._levels else np.zeros(0)


async def decode_whole(
    path: Path,
    name: str,
    length_samples: int,
    tools: Tools,
    on_block: Callable[[Sound], None],
    core: int | None = None,
) -> None:
    """Decode *path* to its end, in blocks; raises VerifyError where it is not of that length."""
    try:
        samples = await decode_blocks(name, decode_command(path, tools.ffmpeg), on_block, core)
    except ToolFailedError as error:
        raise VerifyError(name, f"it does not decode: {error.what}") from error
    if samples != length_samples:
        raise VerifyError(name, f"it decodes to {samples} samples, not {length_samples}")


def read_structure(path: Path, rung: Rung, length_samples: int) -> CmafIndex:
    """Index *path* and see that nothing is left for a player to interpret; raises VerifyError.

    docs/measurements.md says why. That its times follow on each other, read_cmaf sees itself.
    """
    try:
        index = read_cmaf(path)
    except TrackFormatError as error:
        raise VerifyError(rung.name, str(error)) from error
    if index.has_edit_list:
        raise VerifyError(rung.name, "it has an edit list")
    if index.entry.pre_skip != 0:
        raise VerifyError(rung.name, f"its PreSkip is {index.entry.pre_skip} instead of 0")
    for what, found, expected in (
        ("codec", index.entry.codec, rung.codec),
        ("samples", index.samples, length_samples),
    ):
        if found != expected:
            raise VerifyError(rung.name, f"{what}: {found} instead of {expected}")
    off_grid = [piece for piece in index.fragments[:-1] if piece.samples != FRAGMENT_SAMPLES]
    if off_grid:
        raise VerifyError(rung.name, f"a fragment at byte {off_grid[0].offset} is off the grid")
    if index.segments != group_segments(index.fragments):
        raise VerifyError(rung.name, "its sidx does not name the media segments")
    return index


def check_lags(name: str, lags: tuple[Lag, ...], length_samples: int) -> tuple[float, ...]:
    """Return the median lag of beginning, middle and end; raises VerifyError where one is off."""
    for lag in lags:
        if lag.likeness >= _CLEARLY_LIKE and abs(lag.samples) > _MOST_SINGLE_LAG_SAMPLES:
            raise VerifyError(
                name,
                f"its sound at {lag.start / SAMPLE_RATE_HZ:.1f} s lies {lag.samples:.0f} samples "
                "late against the source",
            )
    medians = []
    for part, place in enumerate(("beginning", "middle", "end")):
        found = [lag.samples for lag in lags if lag.start * 3 // length_samples == part]
        if not found:
            # Digital silence, or noise that the encoder replaced: the file's times are the proof.
            _log.warning("alignment not measurable", rendition=name, place=place)
            continue
        median = float(np.median(found))
        if abs(median) >= MOST_LAG_SAMPLES:
            raise VerifyError(
                name, f"its sound lies {median:.1f} samples late against the source at its {place}"
            )
        medians.append(round(median, 2))
    return tuple(medians)


def most_loudness_error_lu(bit_rate_bps: int) -> float:
    """By how much a rendition of that rate may be louder or softer than its source."""
    low = bit_rate_bps <= _LOW_RATE_BPS
    return _MOST_LOUDNESS_ERROR_LOW_LU if low else MOST_LOUDNESS_ERROR_LU


def check_levels(rung: Rung, found: Energies, expected: Energies) -> float:
    """By how many LU the sound is louder than *expected*; raises VerifyError where it is too much.

    Each second is compared as well: a hole, or noise, that the whole would hide.
    """
    expected = np.pad(expected, (0, len(found) - len(expected)))
    difference_lu = loudness_lufs(found) - loudness_lufs(expected)
    if abs(difference_lu) > most_loudness_error_lu(rung.bit_rate_bps):
        raise VerifyError(rung.name, f"it is {difference_lu:+.2f} LU louder than the source")
    found_lufs, expected_lufs = (to_lufs(_seconds(each)) for each in (found, expected))
    audible = np.maximum(found_lufs, expected_lufs) > _LEVEL_FLOOR_LUFS
    differences_lu = np.maximum(found_lufs, -90) - np.maximum(expected_lufs, -90)
    off = audible & (np.abs(differences_lu) > _MOST_LEVEL_ERROR_LU)
    if off.any():
        second = int(np.argmax(off))
        raise VerifyError(
            rung.name,
            f"its second {second} has {found_lufs[second]:.1f} LUFS instead of "
            f"{expected_lufs[second]:.1f}",
        )
    return difference_lu


def _seconds(steps: Energies) -> Energies:
    padded = np.pad(steps, (0, -len(steps) % _STEPS_A_SECOND))
    means: Energies = padded.reshape(-1, _STEPS_A_SECOND).mean(axis=1)
    return means
