"""What every rendition must sound like: the prepared sound, read once for all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from packager.errors import WorkFolderError
from packager.source.prepared import Prepared
from packager.verification.decoding import BLOCK_SAMPLES
from packager.verification.lags import WINDOW_SAMPLES, WINDOWS, Sound, Window
from packager.verification.levels import STEP_SAMPLES, Energies, energies


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The prepared sound after its gain: its length with padding, its level, and some of itself.

    `energies` has the K-weighted mean square of each 0.1 s, `windows` are spread over the sound.
    `sha256` is of the prepared file's bytes, before its gain.
    """

    length_samples: int
    sha256: str
    energies: Energies
    windows: tuple[Window, ...]


class ReferenceBuilder:
    """Takes a sound block by block; all blocks but the last have a whole number of windows.

    *samples* is about how many will come. The levels are those after *gain_db*.
    """

    def __init__(self, samples: int, gain_db: float = 0.0) -> None:
        self._picker = WindowPicker(samples)
        self._power_gain = 10 ** (gain_db / 10)
        self._digest = hashlib.sha256()
        self._levels: list[Energies] = []

    def feed(self, block: Sound) -> None:
        """Take the next *block*."""
        self._picker.feed(block)
        self._digest.update(block.data)
        padding = -len(block) % STEP_SAMPLES
        self._levels.append(energies(np.pad(block, (0, padding))) * self._power_gain)

    def finish(self, length_samples: int) -> Reference:
        """Return the reference; every rendition is padded to *length_samples*."""
        levels = np.concatenate(self._levels) if self._levels else np.zeros(0)
        return Reference(length_samples, self._digest.hexdigest(), levels, self._picker.windows())


def read_reference(
    prepared: Prepared, length_samples: int, on_samples: Callable[[int], None]
) -> Reference:
    """Read *prepared* from its beginning to its end; raises WorkFolderError.

    *on_samples* is told how many samples are read.
    """
    builder = ReferenceBuilder(prepared.samples, prepared.gain_db)
    done = 0
    try:
        with prepared.path.open("rb") as file:
            while len(block := np.fromfile(file, "<f4", BLOCK_SAMPLES)):
                builder.feed(block)
                done += len(block)
                on_samples(done)
    except OSError as error:
        raise WorkFolderError(str(prepared.path), error.strerror or str(error)) from error
    return builder.finish(length_samples)


class WindowPicker:
    """Takes the prepared sound block by block and keeps the loudest window of each part."""

    def __init__(self, samples: int) -> None:
        self._part_samples = max(samples // WINDOWS, 2 * WINDOW_SAMPLES)
        self._position = 0
        self._best: dict[int, tuple[float, Window]] = {}

    def feed(self, block: Sound) -> None:
        """Look at the next *block*, which has a whole number of windows but for the last one."""
        for at in range(0, len(block), WINDOW_SAMPLES):
            sound = block[at : at + WINDOW_SAMPLES]
            start = self._position + at
            steps = np.diff(sound)
            # By its high bands, as lags are measured: consonants say best where they are.
            loudness = float(steps @ steps)
            part = start // self._part_samples
            if loudness > self._best.get(part, (0.0, None))[0]:
                self._best[part] = (loudness, Window(start, sound.copy()))
        self._position += len(block)

    def windows(self) -> tuple[Window, ...]:
        """Return what was kept: at most one window a part, none where all is digital silence."""
        return tuple(window for _, window in self._best.values())
