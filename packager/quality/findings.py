"""What a quality check says: its findings, and the measurements that they rest on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from media.track import Loudness
from packager.source.prepared import Prepared

# Steps of Assessment's curves.
WAVEFORM_STEP_S = 0.1
LOUDNESS_STEP_S = 1.0


class Severity(StrEnum):
    """How much a finding weighs: an error that is not accepted refuses the source."""

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    `at_s` and `until_s` are times in the track (conformed and cut, so that its player shows them);
    None where it concerns all of it. `what` says what is wrong and `mend` what to do. `accepted`:
    the operator let it pass (`--accept`).
    """

    code: str
    severity: Severity
    at_s: float | None
    until_s: float | None
    what: str
    mend: str
    accepted: bool = False

    @property
    def refuses(self) -> bool:
        """Whether it keeps the source from being published."""
        return self.severity is Severity.ERROR and not self.accepted


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """A source that may be encoded: what it is, and what was found.

    `source_loudness` is that of the prepared sound, `loudness` the same after `prepared.gain_db`.
    `silences` are the narrator's pauses as (first sample, sample after the last). `waveform` has a
    row (lowest, highest) for each 0.1 s, before the gain. `momentary_lufs` and `short_term_lufs`
    have the loudest of each second (EBU Tech 3341), before the gain; -inf where there is no sound.
    """

    source_sha256: str
    source_loudness: Loudness
    loudness: Loudness
    prepared: Prepared
    findings: tuple[Finding, ...]
    silences: tuple[tuple[int, int], ...]
    waveform: NDArray[np.float32]
    momentary_lufs: NDArray[np.float32]
    short_term_lufs: NDArray[np.float32]
