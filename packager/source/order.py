"""What the operator says of a source, beside the file itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from packager.source.timing import Timing


@dataclass(frozen=True, slots=True)
class SourceOrder:
    """A source, and how it is to be heard.

    *audio_track* chooses one of several: a language (BCP 47) or a number counted from 1. None takes
    the one that is flagged for the visually impaired, else the only one. *running_time_s* is the
    film's; None looks for it beside the source (see packager/source/sidecar.py). *accepted* are the
    codes of findings that the operator lets pass.
    """

    path: Path
    audio_track: str | None = None
    timing: Timing = field(default_factory=Timing)
    running_time_s: float | None = None
    accepted: frozenset[str] = frozenset()
