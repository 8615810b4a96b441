"""[packager.quality] of config.toml: limits, loudness target and how much each finding weighs."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, field_validator

from media.settings import Section

Weight = Literal["note", "warning", "error"]


class SeveritiesSection(Section):
    """[packager.quality.severities]: a key for each finding's code, with _ for its hyphens."""

    channel_dead: Weight = "warning"
    clipping: Weight = "error"
    dc_offset: Weight = "warning"
    digest: Weight = "error"
    digital_silence: Weight = "error"
    frame_rate: Weight = "error"
    leader: Weight = "warning"
    lossy_source: Weight = "note"
    loudness_limited: Weight = "note"
    loudness_low: Weight = "warning"
    loudness_range: Weight = "warning"
    narrow_band: Weight = "note"
    no_sound: Weight = "error"
    out_of_phase: Weight = "error"
    running_time: Weight = "error"
    running_time_unknown: Weight = "warning"
    too_short: Weight = "error"
    true_peak: Weight = "warning"


# Codes of all findings, as they are written after --accept.
CODES = frozenset(name.replace("_", "-") for name in SeveritiesSection.model_fields)


class QualitySection(Section):
    """[packager.quality]. What each limit means, and where it is from, stands in config.toml."""

    target_lufs: Annotated[float, Field(ge=-40.0, le=-10.0)] = -18.0
    ceiling_dbtp: Annotated[float, Field(ge=-9.0, le=0.0)] = -1.0
    quietest_lufs: Annotated[float, Field(ge=-70.0, le=0.0)] = -40.0
    widest_range_lu: Annotated[float, Field(gt=0.0)] = 20.0
    highest_true_peak_dbtp: Annotated[float, Field(ge=-9.0, le=6.0)] = 0.0
    film_frame_rate: str = "24"
    running_time_tolerance_s: Annotated[float, Field(ge=0.0)] = 2.0
    shortest_s: Annotated[float, Field(ge=0.0)] = 5.0
    longest_silence_s: Annotated[float, Field(gt=0.0)] = 600.0
    longest_silence_share: Annotated[float, Field(gt=0.0, le=1.0)] = 0.4
    clipped_places: Annotated[int, Field(ge=1)] = 10
    dc_offset: Annotated[float, Field(gt=0.0, le=1.0)] = 0.005
    dead_channel_dbfs: Annotated[float, Field(le=0.0)] = -60.0
    lowest_correlation: Annotated[float, Field(ge=-1.0, le=1.0)] = -0.5
    out_of_phase_share: Annotated[float, Field(gt=0.0, le=1.0)] = 0.05
    severities: SeveritiesSection = SeveritiesSection()

    @field_validator("film_frame_rate")
    @classmethod
    def _is_a_rate(cls, text: str) -> str:
        try:
            positive = Fraction(text) > 0
        except (ValueError, ZeroDivisionError):
            positive = False
        if not positive:
            raise ValueError(f"{text!r} is no frame rate; write 24 or 24000/1001")
        return text
