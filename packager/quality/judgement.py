"""From measurements to findings: what is wrong with a source, where, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from media.grid import SAMPLE_RATE_HZ
from media.track import Loudness
from packager.quality.channels import ChannelReport
from packager.quality.findings import Finding
from packager.quality.judging import Judge, clock
from packager.quality.levels import Levels
from packager.quality.loudness import FLOOR_LUFS
from packager.quality.running_time import check_running_time
from packager.source.order import SourceOrder
from packager.source.probe import AudioTrack, SourceClaims
from packager.source.sidecar import Sidecar

# Codecs that leave out what is masked; encoding them again leaves out more.
_LOSSY = frozenset({"aac", "ac3", "eac3", "dts", "mp2", "mp3", "opus", "vorbis", "wmav2"})
# Below this (a band of 12 kHz) consonants lose their edge.
_NARROW_HZ = 24_000
# A film's time code begins at a whole hour, and a leader (8 s in SMPTE ST 55) before it.
_LONGEST_LEADER_S = 60.0


@dataclass(frozen=True, slots=True)
class Measured:
    """All that the judgement rests on. `source` is before the gain, `loudness` after it.

    `true_peak_at` is a sample of the prepared sound.
    """

    claims: SourceClaims
    track: AudioTrack
    order: SourceOrder
    sidecar: Sidecar
    sha256: str
    samples: int
    source: Loudness
    loudness: Loudness
    true_peak_at: int
    levels: Levels
    channels: ChannelReport

    @property
    def length_s(self) -> float:
        """Length of the prepared sound."""
        return self.samples / SAMPLE_RATE_HZ

    @property
    def stretch(self) -> float:
        """From seconds of the source to seconds of the track."""
        conform = self.order.timing.conform
        return 1.0 if conform is None else float(conform.stretch)


def judge_source(judge: Judge, measured: Measured) -> tuple[Finding, ...]:
    """All findings, those that refuse the source first, then by severity and time."""
    findings = [
        *_delivery(judge, measured),
        *_length(judge, measured),
        *_channels(judge, measured),
        *_silence(judge, measured),
        *_loudness(judge, measured),
    ]
    order = ("error", "warning", "note")
    return tuple(
        sorted(
            findings,
            key=lambda f: (not f.refuses, order.index(f.severity), f.at_s or 0.0, f.code),
        )
    )


def _delivery(judge: Judge, measured: Measured) -> Iterator[Finding]:
    """What the file is, before a sample is heard."""
    track, sidecar = measured.track, measured.sidecar
    if sidecar.sha256 is not None and sidecar.sha256 != measured.sha256:
        yield judge.find(
            "digest",
            f"has the SHA-256 {measured.sha256}, and the file beside it says {sidecar.sha256}",
            "copy it again from its origin",
        )
    if track.codec in _LOSSY:
        yield judge.find(
            "lossy-source",
            f"was compressed before ({track.codec}), and loses a little more in each rendition",
            "ask for WAV, FLAC or AIFF",
        )
    if track.sample_rate_hz < _NARROW_HZ:
        yield judge.find(
            "narrow-band",
            f"is recorded at {track.sample_rate_hz} Hz, so nothing above "
            f"{track.sample_rate_hz / 2000:g} kHz is in it",
            "ask for 48 kHz",
        )
    yield from _leader(judge, measured)


def _leader(judge: Judge, measured: Measured) -> Iterator[Finding]:
    reference = measured.claims.time_reference
    if reference is None or measured.order.timing.film_starts_at_s > 0:
        return
    before_hour_s = -(reference / measured.track.sample_rate_hz) % 3600
    if 0 < before_hour_s <= _LONGEST_LEADER_S:
        yield judge.find(
            "leader",
            f"its time code begins {before_hour_s:g} s before a whole hour, where films begin",
            f"if that is a leader, cut it: --film-starts-at {clock(before_hour_s)}",
            at_s=0.0,
            until_s=before_hour_s * measured.stretch,
        )


def _length(judge: Judge, measured: Measured) -> Iterator[Finding]:
    if measured.length_s < judge.settings.shortest_s:
        yield judge.find(
            "too-short",
            f"is {measured.length_s:.1f} s long",
            "name the whole track's file",
        )
    order, film_rate = measured.order, Fraction(judge.settings.film_frame_rate)
    running_time_s = (
        measured.sidecar.running_time_s if order.running_time_s is None else order.running_time_s
    )
    picture = measured.claims.picture
    if running_time_s is None and picture is not None:
        # The pictures that came with the sound are the film, but maybe at another speed.
        if order.timing.conform is None and picture.frame_rate != film_rate:
            yield judge.find(
                "frame-rate",
                f"its pictures run at {float(picture.frame_rate):.6g} a second, "
                f"the film at {float(film_rate):.6g}",
                f"conform it: --conform {picture.frame_rate}:{film_rate}, "
                "or say with --running-time that it fits",
            )
        if picture.duration_s is not None:
            from_film_s = picture.duration_s - order.timing.film_starts_at_s
            running_time_s = from_film_s * measured.stretch
    yield from check_running_time(judge, measured.length_s, order.timing, running_time_s, film_rate)


def _channels(judge: Judge, measured: Measured) -> Iterator[Finding]:
    report, settings = measured.channels, judge.settings
    if sum(report.clipped.values()) >= settings.clipped_places:
        worst = max(report.clipped, key=lambda second: report.clipped[second])
        yield judge.find(
            "clipping",
            f"is clipped at {sum(report.clipped.values())} places in {len(report.clipped)} "
            f"seconds, most of all at {clock(worst * measured.stretch)}",
            "ask for an export that is not limited so hard, or recorded too loud",
            at_s=min(report.clipped) * measured.stretch,
            until_s=min((max(report.clipped) + 1) * measured.stretch, measured.length_s),
        )
    for channel in np.flatnonzero(np.abs(report.means) > settings.dc_offset):
        yield judge.find(
            "dc-offset",
            f"channel {channel + 1} lies {100 * report.means[channel]:+.2f} % of full scale "
            "off the middle",
            "ask for an export through a high-pass filter",
        )
    dead = report.peaks <= 10 ** (settings.dead_channel_dbfs / 20)
    if report.channels > 1 and dead.any() and not dead.all():
        numbers = ", ".join(str(channel + 1) for channel in np.flatnonzero(dead))
        yield judge.find(
            "channel-dead",
            f"of {report.channels} channels these are silent: {numbers}",
            "ask whether a track was left out of the mix",
        )
    yield from _phase(judge, measured)


def _phase(judge: Judge, measured: Measured) -> Iterator[Finding]:
    correlations = np.array(measured.channels.correlations)
    active = np.count_nonzero(~np.isnan(correlations))
    with np.errstate(invalid="ignore"):
        against = np.flatnonzero(correlations < judge.settings.lowest_correlation)
    if active and len(against) >= judge.settings.out_of_phase_share * active:
        yield judge.find(
            "out-of-phase",
            f"the two channels move against each other in {len(against)} of {active} seconds, "
            "and cancel in the mono that is published",
            "ask for an export with the polarity of one channel turned, or for mono",
            at_s=float(against[0]) * measured.stretch,
            until_s=min(float(against[-1] + 1) * measured.stretch, measured.length_s),
        )


def _silence(judge: Judge, measured: Measured) -> Iterator[Finding]:
    settings = judge.settings
    longest_s = min(settings.longest_silence_s, settings.longest_silence_share * measured.length_s)
    if measured.source.integrated_lufs <= FLOOR_LUFS:
        return  # said below
    for first, last in measured.levels.silences(longest_s):
        yield judge.find(
            "digital-silence",
            f"holds no sound at all for {clock((last - first) / SAMPLE_RATE_HZ)}",
            "ask whether narration is missing there",
            at_s=first / SAMPLE_RATE_HZ,
            until_s=last / SAMPLE_RATE_HZ,
        )


def _loudness(judge: Judge, measured: Measured) -> Iterator[Finding]:
    settings, source = judge.settings, measured.source
    if source.integrated_lufs <= FLOOR_LUFS:
        yield judge.find(
            "no-sound", "nothing in it is loud enough to be heard", "ask for the track again"
        )
        return
    if source.integrated_lufs < settings.quietest_lufs:
        yield judge.find(
            "loudness-low",
            f"has {source.integrated_lufs:.1f} LUFS, and its noise is raised with it",
            "ask for an export at the level that was agreed",
        )
    # Half of what meters show (EBU Tech 3341 2.1): a tenth is within a meter's own tolerance.
    if measured.loudness.integrated_lufs < settings.target_lufs - 0.1:
        yield judge.find(
            "loudness-limited",
            f"comes to {measured.loudness.integrated_lufs:.1f} LUFS instead of "
            f"{settings.target_lufs:g}: more gain would lift its true peak above "
            f"{settings.ceiling_dbtp:g} dBTP",
            "listen whether it is loud enough, or ask for an export with less difference "
            "between loudness and peaks",
            at_s=measured.true_peak_at / SAMPLE_RATE_HZ,
        )
    if source.range_lu > settings.widest_range_lu:
        yield judge.find(
            "loudness-range",
            f"has a loudness range of {source.range_lu:.1f} LU: quiet words are lost in a cinema",
            "ask for a narration of more even level",
        )
    if source.true_peak_dbtp > settings.highest_true_peak_dbtp:
        yield judge.find(
            "true-peak",
            f"rises to {source.true_peak_dbtp:+.1f} dBTP between its samples",
            "ask for an export whose true peak is limited; its level is lowered here",
            at_s=measured.true_peak_at / SAMPLE_RATE_HZ,
        )
