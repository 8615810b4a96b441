"""The whole quality check: what lies in the work folder afterwards, and what is said."""

from __future__ import annotations

import asyncio
import hashlib
import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from packager.errors import SourceRefusedError, WorkFolderError
from packager.ffmpeg import Tools
from packager.quality.assess import assess
from packager.quality.findings import Assessment, Severity
from packager.quality.settings import QualitySection
from packager.source.order import SourceOrder
from packager.source.timing import Timing, parse_conform
from tests.packager.signals import (
    RATE_HZ,
    convert,
    prepared_sound,
    silence,
    speech,
    tone,
    write_sound,
)

SETTINGS = QualitySection()


async def _assess(
    order: SourceOrder, folder: Path, tools: Tools, settings: QualitySection = SETTINGS
) -> Assessment:
    return await assess(order, folder, tools, settings, lambda _: None)


async def test_prepared_sound_is_the_source(tmp_path: Path, tools: Tools) -> None:
    """At 48 kHz and mono not a sample is changed; the gain is left to the encoders."""
    sound = speech(6.5)
    source = write_sound(tmp_path / "a.wav", sound)
    progress: list[int] = []
    assessment = await assess(
        SourceOrder(source, running_time_s=6.5), tmp_path, tools, SETTINGS, progress.append
    )
    await asyncio.sleep(0)
    assert np.abs(prepared_sound(assessment.prepared.path) - sound).max() < 1e-6
    assert assessment.prepared.samples == len(sound)
    assert assessment.source_sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert assessment.findings == ()
    assert progress[-1] == len(sound)
    assert progress == sorted(progress)


async def test_gain_brings_the_target(tmp_path: Path, tools: Tools) -> None:
    """With the gain applied the sound has the target's loudness, and its true peak is told."""
    source = write_sound(tmp_path / "a.wav", speech(8))
    assessment = await _assess(SourceOrder(source), tmp_path, tools)
    assert assessment.loudness.integrated_lufs == pytest.approx(-18.0, abs=0.02)
    gain_db = assessment.prepared.gain_db
    louder = prepared_sound(assessment.prepared.path) * 10 ** (gain_db / 20)
    again = await _assess(
        SourceOrder(write_sound(tmp_path / "b.wav", louder.astype(np.float64))), tmp_path, tools
    )
    assert again.source_loudness.integrated_lufs == pytest.approx(-18.0, abs=0.05)
    assert again.source_loudness.true_peak_dbtp == pytest.approx(
        assessment.loudness.true_peak_dbtp, abs=0.05
    )


async def test_ceiling_stands_above_the_target(tmp_path: Path, tools: Tools) -> None:
    """A peaky source is lifted to the ceiling and no further, and a finding says so."""
    sound = 0.05 * speech(8)
    sound[100_000:100_048] = 0.5 * np.hanning(48)
    settings = QualitySection(ceiling_dbtp=-2.0)
    source = write_sound(tmp_path / "a.wav", sound)
    assessment = await _assess(SourceOrder(source), tmp_path, tools, settings)
    assert assessment.loudness.true_peak_dbtp == pytest.approx(-2.0, abs=0.02)
    assert assessment.loudness.true_peak_dbtp <= -2.0
    (finding,) = [each for each in assessment.findings if each.code == "loudness-limited"]
    assert finding.at_s == pytest.approx(100_024 / RATE_HZ, abs=0.001)


async def test_pauses_and_curves_are_measured(tmp_path: Path, tools: Tools) -> None:
    """The silence map, the waveform and the loudness over time lie on the track's own time."""
    sound = np.concatenate((speech(4), silence(2), speech(2.05)))
    assessment = await _assess(SourceOrder(write_sound(tmp_path / "a.wav", sound)), tmp_path, tools)
    assert any(
        first / RATE_HZ == pytest.approx(4, abs=0.1) and last / RATE_HZ == pytest.approx(6, abs=0.1)
        for first, last in assessment.silences
    )
    assert all(last - first >= 0.29 * RATE_HZ for first, last in assessment.silences)
    assert assessment.waveform.shape == (81, 2)
    assert np.abs(assessment.waveform[41:59]).max() == 0
    assert len(assessment.momentary_lufs) == len(assessment.short_term_lufs) == 8
    assert assessment.momentary_lufs[5] == -np.inf


async def test_master_is_conformed(tmp_path: Path, tools: Tools) -> None:
    """A 25 fps master for a film at 24 gets its length exactly, and fits without a finding."""
    source = write_sound(tmp_path / "a.wav", speech(12), rate_hz=RATE_HZ)
    timing = Timing(parse_conform("25:24"))
    assessment = await _assess(
        SourceOrder(source, timing=timing, running_time_s=12.5), tmp_path, tools
    )
    assert assessment.prepared.samples == round(12 * RATE_HZ * Fraction(25, 24))
    assert len(prepared_sound(assessment.prepared.path)) == assessment.prepared.samples
    assert assessment.findings == ()


async def test_times_are_those_of_the_track(tmp_path: Path, tools: Tools) -> None:
    """After a leader was cut and the rest conformed, a finding lies where the player shows it."""
    film = speech(12)
    film[6 * RATE_HZ : 7 * RATE_HZ] = np.clip(20 * film[6 * RATE_HZ : 7 * RATE_HZ], -1, 1)
    sound = np.concatenate((tone(-18, 2), film))
    order = SourceOrder(
        write_sound(tmp_path / "a.wav", sound),
        timing=Timing(parse_conform("25:24"), film_starts_at_s=2.0),
        accepted=frozenset({"clipping"}),
    )
    assessment = await _assess(order, tmp_path, tools)
    (finding,) = [each for each in assessment.findings if each.code == "clipping"]
    assert finding.at_s == 6.25
    assert finding.until_s == pytest.approx(7.292, abs=0.001)
    assert (finding.severity, finding.accepted) == (Severity.ERROR, True)


async def test_file_beside_the_source_is_believed(tmp_path: Path, tools: Tools) -> None:
    """Running time and digest that fit are no finding; the option stands above the file."""
    source = write_sound(tmp_path / "a.wav", speech(8))
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    beside = tmp_path / "a.wav.toml"
    beside.write_text(f'running_time = "0:08"\nsha256 = "{digest}"\n', encoding="utf-8")
    assert (await _assess(SourceOrder(source), tmp_path, tools)).findings == ()
    with pytest.raises(SourceRefusedError, match="running-time"):
        await _assess(SourceOrder(source, running_time_s=20.0), tmp_path, tools)


async def test_all_findings_come_at_once(tmp_path: Path, tools: Tools) -> None:
    """A source with several faults is refused once, with everything that was found."""
    bad = np.concatenate((np.clip(20 * speech(6), -1, 1) + 0.0, silence(6)))
    source = write_sound(tmp_path / "a.wav", bad)
    with pytest.raises(SourceRefusedError) as caught:
        await _assess(SourceOrder(source, running_time_s=60.0), tmp_path, tools)
    codes = [finding.code for finding in caught.value.findings]
    assert {"clipping", "digital-silence", "running-time"} <= set(codes)
    assert all(finding.mend for finding in caught.value.findings)


async def test_full_work_folder_is_said(tmp_path: Path, tools: Tools) -> None:
    """A prepared sound that cannot be written is a fault of the folder, and no child is left."""
    source = write_sound(tmp_path / "a.wav", np.column_stack([speech(6)] * 2))
    # A device that is always full stands for the disk.
    (tmp_path / "prepared.f32").symlink_to("/dev/full")
    before = _children()
    with pytest.raises(WorkFolderError, match="No space left"):
        await _assess(SourceOrder(source), tmp_path, tools)
    assert _children() <= before


async def test_cancelled_check_leaves_no_child(tmp_path: Path, tools: Tools) -> None:
    """Ctrl-C in the middle of the check ends ffmpeg and the threads that listen."""
    source = write_sound(tmp_path / "a.wav", speech(5))
    long = convert(source, tmp_path / "long.flac", before=("-stream_loop", "400"))
    begun = asyncio.Event()
    before = _children()
    check = asyncio.create_task(
        assess(SourceOrder(long), tmp_path, tools, SETTINGS, lambda _: begun.set())
    )
    async with asyncio.timeout(30):
        await begun.wait()
        check.cancel()
        with pytest.raises(asyncio.CancelledError):
            await check
    assert _children() <= before


def _children() -> set[str]:
    """Process ids. Others than ours are there too: servers that the whole session shares."""
    listed = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    return set(listed.read_text(encoding="ascii").split())
