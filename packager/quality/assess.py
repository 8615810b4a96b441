"""The quality check: one decode of the source, after which it is refused or ready to be encoded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from media.grid import SAMPLE_RATE_HZ
from packager.digest import file_sha256
from packager.errors import (
    SourceRefusedError,
    SourceTruncatedError,
    SourceUnreadableError,
    WorkFolderError,
)
from packager.ffmpeg import Tools
from packager.quality.channels import ChannelMeter
from packager.quality.findings import Assessment
from packager.quality.judgement import Measured, judge_source
from packager.quality.judging import Judge
from packager.quality.levels import LevelMeter
from packager.quality.listening import Meters, PreparedWriter
from packager.quality.loudness import LoudnessMeter
from packager.quality.normalisation import loudness_after, normalising_gain_db
from packager.quality.settings import QualitySection
from packager.quality.true_peak import TruePeakMeter
from packager.source.decoding import Listeners, decode_source
from packager.source.order import SourceOrder
from packager.source.prepared import FILE_NAME, Prepared
from packager.source.probe import AudioTrack, SourceClaims, probe
from packager.source.selection import select_audio_track
from packager.source.sidecar import read_sidecar
from packager.source.stretching import Stretcher
from packager.source.wavfile import check_wav_size

# A container may round its duration, and a codec may end within its last packet.
_TOLERANCE_S = 0.1
# These have no index: ffmpeg estimates their length from the bit rate.
_ESTIMATED_CONTAINERS = frozenset({"mp3", "aac", "ac3", "eac3"})
_ESTIMATE_TOLERANCE = 0.02


async def assess(
    order: SourceOrder,
    folder: Path,
    tools: Tools,
    settings: QualitySection,
    on_samples: Callable[[int], None],
) -> Assessment:
    """Decode the source once, write the prepared sound into *folder* and say what is wrong.

    Raises SourceError where it cannot be read whole, SourceRefusedError where a finding of severity
    error is not accepted, TimingError, UnknownFindingError and WorkFolderError. *on_samples* is
    told how many samples of the prepared sound are done.
    """
    judge = Judge(settings, order.accepted)
    claims = await probe(order.path, tools)
    track = select_audio_track(claims, order.audio_track)
    sidecar = await asyncio.to_thread(read_sidecar, order.path)
    try:
        await asyncio.to_thread(check_wav_size, order.path, claims.size_bytes)
    except OSError as error:
        raise SourceUnreadableError(str(order.path), error.strerror or str(error)) from error
    digest = asyncio.create_task(_digest(order.path))
    try:
        heard = await _hear(claims, track, order, folder, tools, on_samples)
        sha256 = await digest
    finally:
        digest.cancel()
        with suppress(asyncio.CancelledError, SourceUnreadableError):
            await digest
    _check_length(claims, track, order, heard.writer.heard)
    curves = heard.meters.loudness.curves()
    true_peak = heard.meters.true_peak
    source_loudness = loudness_after(curves, true_peak)
    gain_db = normalising_gain_db(source_loudness, settings)
    loudness = loudness_after(curves, true_peak, gain_db)
    levels = heard.meters.levels.levels()
    measured = Measured(
        claims=claims,
        track=track,
        order=order,
        sidecar=sidecar,
        sha256=sha256,
        samples=heard.writer.samples,
        source=source_loudness,
        loudness=loudness,
        true_peak_at=true_peak.at,
        levels=levels,
        channels=heard.channels.report(),
    )
    findings = judge_source(judge, measured)
    if any(finding.refuses for finding in findings):
        raise SourceRefusedError(order.path.name, findings)
    return Assessment(
        source_sha256=sha256,
        source_loudness=source_loudness,
        loudness=loudness,
        prepared=Prepared(folder / FILE_NAME, heard.writer.samples, gain_db),
        findings=findings,
        silences=levels.pauses(source_loudness.integrated_lufs),
        waveform=levels.waveform,
        momentary_lufs=curves.momentary_lufs(),
        short_term_lufs=curves.short_term_lufs(),
    )


class _Heard:
    """What listened to the whole source."""

    def __init__(self, meters: Meters, writer: PreparedWriter, channels: ChannelMeter) -> None:
        self.meters = meters
        self.writer = writer
        self.channels = channels


async def _hear(
    claims: SourceClaims,
    track: AudioTrack,
    order: SourceOrder,
    folder: Path,
    tools: Tools,
    on_samples: Callable[[int], None],
) -> _Heard:
    loop = asyncio.get_running_loop()
    meters = Meters(LoudnessMeter(), TruePeakMeter(), LevelMeter())
    conform = order.timing.conform
    channels = ChannelMeter(track.channels)

    def tell(samples: int) -> None:
        loop.call_soon_threadsafe(on_samples, samples)

    path = folder / FILE_NAME
    try:
        # A few kilobytes for a second of sound, and it is a thread that writes them.
        with path.open("wb") as file:
            writer = PreparedWriter(
                file,
                path,
                meters,
                None if conform is None else Stretcher(conform.stretch),
                tell,
            )
            listeners = Listeners(mono=writer.hear, channels=channels.feed)
            await decode_source(claims, track, order.timing.film_starts_at_s, tools, listeners)
            await asyncio.to_thread(writer.finish)
    except OSError as error:
        raise WorkFolderError(str(path), error.strerror or str(error)) from error
    return _Heard(meters, writer, channels)


async def _digest(path: Path) -> str:
    """SHA-256 of the source, read beside its decoding."""
    try:
        return await asyncio.to_thread(file_sha256, path)
    except OSError as error:
        raise SourceUnreadableError(str(path), error.strerror or str(error)) from error


def _check_length(
    claims: SourceClaims, track: AudioTrack, order: SourceOrder, heard_samples: int
) -> None:
    """Compare what was heard with what the track declares; raises SourceTruncatedError."""
    if track.declared_s is None:
        return
    tolerance_s = _TOLERANCE_S
    if claims.container in _ESTIMATED_CONTAINERS:
        tolerance_s = max(tolerance_s, track.declared_s * _ESTIMATE_TOLERANCE)
    found_s = heard_samples / SAMPLE_RATE_HZ + order.timing.film_starts_at_s
    if claims.picture is not None:
        # What sounds before the first picture is declared, and cut (commands.py).
        found_s += max(0.0, claims.picture.starts_s - track.starts_s)
    if found_s < track.declared_s - tolerance_s:
        raise SourceTruncatedError(claims.path.name, track.declared_s, round(found_s, 3), "s")
