"""What is done with each second of decoded sound: written, measured, and counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from media.grid import SAMPLE_RATE_HZ
from packager.errors import WorkFolderError
from packager.quality.levels import LevelMeter
from packager.quality.loudness import LoudnessMeter
from packager.quality.true_peak import TruePeakMeter
from packager.source.stretching import Stretcher


@dataclass(frozen=True, slots=True)
class Meters:
    """What measures the prepared sound."""

    loudness: LoudnessMeter
    true_peak: TruePeakMeter
    levels: LevelMeter


class PreparedWriter:
    """Writes the prepared sound to *file* and lets the meters hear it, in blocks of one second.

    *path* names the file in errors. With a *stretcher* the sound is conformed on its way. Raises
    WorkFolderError where the disk is full.
    """

    def __init__(
        self,
        file: BinaryIO,
        path: Path,
        meters: Meters,
        stretcher: Stretcher | None,
        on_samples: Callable[[int], None],
    ) -> None:
        self._file = file
        self._path = path
        self._meters = meters
        self._stretcher = stretcher
        self._on_samples = on_samples
        self._waiting = np.zeros(0, np.float32)
        # Samples of the source, and of the prepared sound.
        self.heard = 0
        self.samples = 0

    def hear(self, block: NDArray[np.float32]) -> None:
        """Take the next second of the source."""
        self.heard += len(block)
        if self._stretcher is None:
            self._take(block)
        else:
            self._split(self._stretcher.feed(block))

    def finish(self) -> None:
        """Take what is still on its way."""
        if self._stretcher is not None:
            self._split(self._stretcher.finish())
        if len(self._waiting):
            self._take(self._waiting)
        self._meters.true_peak.finish()

    def _split(self, sound: NDArray[np.float32]) -> None:
        """Cut what the stretcher gives into the seconds that the meters want."""
        sound = np.concatenate((self._waiting, sound))
        whole = len(sound) // SAMPLE_RATE_HZ * SAMPLE_RATE_HZ
        for start in range(0, whole, SAMPLE_RATE_HZ):
            self._take(sound[start : start + SAMPLE_RATE_HZ])
        self._waiting = sound[whole:]

    def _take(self, block: NDArray[np.float32]) -> None:
        try:
            self._file.write(np.ascontiguousarray(block, np.dtype("<f4")).data)
        except OSError as error:
            raise WorkFolderError(str(self._path), error.strerror or str(error)) from error
        self._meters.loudness.feed(block)
        self._meters.levels.feed(block)
        self._meters.true_peak.feed(block)
        self.samples += len(block)
        self._on_samples(self.samples)
