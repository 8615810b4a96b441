"""What is heard of a master's channels before they are mixed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from packager.quality.channels import ChannelMeter, ChannelReport
from tests.packager.signals import RATE_HZ, silence, speech, tone


def _report(*channels: NDArray[np.float64]) -> ChannelReport:
    rows = np.column_stack(channels).astype(np.float32)
    meter = ChannelMeter(rows.shape[1])
    for at in range(0, len(rows), RATE_HZ):
        meter.feed(rows[at : at + RATE_HZ])
    return meter.report()


@pytest.mark.parametrize("limit", [1.0, 0.5])
def test_clipping_is_seen_at_any_level(limit: float) -> None:
    """A wave that was cut off is known by its flat tops, also when it was made quieter later."""
    clipped = np.clip(speech(4) * 12, -1, 1) * limit
    clipped[RATE_HZ : 2 * RATE_HZ] = speech(1)
    report = _report(clipped)
    assert set(report.clipped) == {0, 2, 3}
    assert sum(report.clipped.values()) > 100


@pytest.mark.parametrize("hz", [20, 50, 120, 1000, 12_000])
def test_loud_tone_is_not_clipped(hz: float) -> None:
    """The flat top of a low tone in 16 bits has no corners, and no tone is called clipped."""
    sound = np.round(tone(-0.1, 2, hz=hz) * 32767) / 32768
    assert not _report(sound).clipped


def test_coarse_and_quiet_sound_is_not_clipped() -> None:
    """Steps of a recording in 8 bits look flat, and are not at a limit; silence is at none."""
    assert not _report(np.round(speech(2) * 0.25 * 127) / 128).clipped
    assert not _report(silence(2)).clipped


def test_means_and_peaks() -> None:
    """Each channel's DC offset and highest sample are measured over all of it."""
    report = _report(tone(-20, 2.5) + 0.01, tone(-40, 2.5))
    assert report.means == pytest.approx([0.01, 0.0], abs=1e-5)
    assert report.peaks == pytest.approx([0.11, 0.01], abs=1e-4)
    assert report.samples == 120_000


def test_front_channels_of_more_are_compared() -> None:
    """Left and right of 5.1 out of phase would vanish in the mix, as those of stereo do."""
    left = tone(-20, 1.0)
    others = [np.zeros_like(left)] * 4
    assert _report(left, -left, *others).correlations == [pytest.approx(-1.0)]


def test_correlation_of_each_second() -> None:
    """1 for the same, -1 for the opposite, about 0 for others, none where a channel is silent."""
    left = speech(4)
    right = np.concatenate((left[:48_000], -left[48_000:96_000], speech(1, seed=2), silence(1)))
    report = _report(left, right)
    assert report.correlations[:3] == pytest.approx([1, -1, 0], abs=0.1)
    assert np.isnan(report.correlations[3])
    assert _report(left).correlations == []
