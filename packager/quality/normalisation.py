"""Loudness normalisation: one linear gain for the whole programme, found in the quality check.

Two passes by nature: the check measures, the encoders apply. No limiter, no compressor: the
master's dynamics are the studio's.
"""

from __future__ import annotations

import math

from media.track import Loudness
from packager.quality.loudness import FLOOR_LUFS, LoudnessCurves
from packager.quality.settings import QualitySection
from packager.quality.true_peak import TruePeakMeter

# Digital silence has no peak; JSON has no infinity.
_NO_PEAK_DBTP = -144.0


def loudness_after(
    curves: LoudnessCurves, true_peak: TruePeakMeter, gain_db: float = 0.0
) -> Loudness:
    """Loudness with *gain_db* applied, rounded as meters show it (EBU Tech 3341 2.1: 0.1 LU)."""
    return Loudness(
        integrated_lufs=round(curves.integrated_lufs(gain_db), 2),
        range_lu=round(curves.range_lu(gain_db), 2),
        true_peak_dbtp=round(max(true_peak.peak_dbtp() + gain_db, _NO_PEAK_DBTP), 2),
    )


def normalising_gain_db(source: Loudness, settings: QualitySection) -> float:
    """Gain in dB that brings *source* to the target, or as near as its true peak allows.

    In whole hundredths, downwards: the ceiling is kept.
    """
    if source.integrated_lufs <= FLOOR_LUFS:
        return 0.0
    wanted = settings.target_lufs - source.integrated_lufs
    allowed = settings.ceiling_dbtp - source.true_peak_dbtp
    return math.floor(round(min(wanted, allowed) * 100, 6)) / 100
