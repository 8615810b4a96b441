"""Rules of time: durations against samples, one grid for all renditions, where playback starts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from packager.lint.lines import read_attributes
from packager.lint.playlist import MediaPlaylist
from packager.lint.presentation import Presentation
from packager.lint.registry import Family, Fault
from packager.lint.values import read_signed

FAMILY = Family("time")

_TARGET_S = 6
# An EXTINF of three decimals is off by half a millisecond at most; more is no rounding.
_EXTINF_OFF_S = Fraction(1, 1000)
# Where a segment begins may be off by this: far under what is heard, far over six decimals' sum
# (1,250 segments of half a microsecond are 0.6 ms). Apple's 8.1 has one video frame (41 ms).
_DRIFT_S = Fraction(5, 1000)
_SAME_S = Fraction(1, 1000)


@FAMILY.error(
    "target-duration",
    "RFC 8216bis 4.4.3.1; Apple HLS authoring 7.7",
    "raise TARGETDURATION to the longest EXTINF, rounded, or cut the segments shorter",
)
def _target_duration(p: Presentation) -> Iterator[Fault]:
    """TARGETDURATION is there, and no EXTINF, rounded to the nearest, is above it."""
    for playlist in p.media.values():
        target = playlist.number("EXT-X-TARGETDURATION")
        if target is None:
            yield Fault(playlist.name, None, "has no EXT-X-TARGETDURATION")
            continue
        for segment in playlist.segments:
            # Half a second is rounded up, as players and Apple's 7.7 count.
            if (
                segment.duration_s is not None
                and math.floor(segment.duration_s + Fraction(1, 2)) > target
            ):
                what = f"EXTINF {float(segment.duration_s):g} s is above the target of {target} s"
                yield Fault(playlist.name, segment.line, what)


@FAMILY.warning("target-six", "Apple HLS authoring 7.5, 7.6", "cut segments of about 6 s")
def _target_six(p: Presentation) -> Iterator[Fault]:
    """The target duration is 6 s."""
    for playlist in p.media.values():
        target, tag = (
            playlist.number("EXT-X-TARGETDURATION"),
            playlist.first("EXT-X-TARGETDURATION"),
        )
        if target is not None and tag is not None and target != _TARGET_S:
            yield Fault(playlist.name, tag.line, f"TARGETDURATION is {target}")


@FAMILY.error(
    "same-target",
    "RFC 8216bis 6.2.4; Apple HLS authoring 8.2",
    "give all Media Playlists the same TARGETDURATION",
)
def _same_target(p: Presentation) -> Iterator[Fault]:
    """All renditions have one target duration."""
    for first, other in _pairs(p):
        targets = [playlist.number("EXT-X-TARGETDURATION") for playlist in (first, other)]
        tag = other.first("EXT-X-TARGETDURATION")
        if targets[0] != targets[1] and tag is not None:
            what = f"TARGETDURATION is {targets[1]}, in {first.name} {targets[0]}"
            yield Fault(other.name, tag.line, what)


@FAMILY.error(
    "same-duration",
    "Apple HLS authoring 8.3, 8.7",
    "encode all renditions from the same samples, padded to the same length",
)
def _same_duration(p: Presentation) -> Iterator[Fault]:
    """All renditions last equally long."""
    for first, other in _pairs(p):
        if abs(first.duration_s - other.duration_s) > _SAME_S:
            what = (
                f"lasts {float(other.duration_s):.6f} s, "
                f"{first.name} {float(first.duration_s):.6f} s"
            )
            yield Fault(other.name, None, what)


@FAMILY.error(
    "same-boundaries",
    "RFC 8216bis 6.2.4; Apple HLS authoring 8.22",
    "cut all renditions at the same samples",
)
def _same_boundaries(p: Presentation) -> Iterator[Fault]:
    """Segments of all renditions begin at the same times: a player may change at any of them."""
    for first, other in _pairs(p):
        if len(first.segments) != len(other.segments):
            what = f"has {len(other.segments)} segments, {first.name} {len(first.segments)}"
            yield Fault(other.name, None, what)
            continue
        for ours, theirs in zip(other.segments, first.segments, strict=True):
            if ours.duration_s is None or theirs.duration_s is None:
                continue
            if abs(ours.duration_s - theirs.duration_s) > _SAME_S:
                lasts = f"{float(ours.duration_s):g} s", f"{float(theirs.duration_s):g} s"
                what = f"lasts {lasts[0]}, in {first.name} {lasts[1]}"
                yield Fault(other.name, ours.line, what)


@FAMILY.error(
    "playlist-type", "Apple HLS authoring 8.6; RFC 8216bis 4.4.3.5", "write EXT-X-PLAYLIST-TYPE:VOD"
)
def _playlist_type(p: Presentation) -> Iterator[Fault]:
    """A film's playlist is of type VOD."""
    for playlist in p.media.values():
        tag = playlist.first("EXT-X-PLAYLIST-TYPE")
        if tag is None or tag.value != "VOD":
            line = None if tag is None else tag.line
            value = "missing" if tag is None else tag.value
            yield Fault(playlist.name, line, f"EXT-X-PLAYLIST-TYPE is {value}")


@FAMILY.error(
    "end-list",
    "RFC 8216bis 4.4.3.4, 6.2.1",
    "write EXT-X-ENDLIST; without it players wait for more",
)
def _end_list(p: Presentation) -> Iterator[Fault]:
    """A film's playlist is ended."""
    for playlist in p.media.values():
        if playlist.first("EXT-X-ENDLIST") is None:
            yield Fault(playlist.name, None, "has no EXT-X-ENDLIST")


@FAMILY.error(
    "start-range",
    "RFC 8216bis 4.4.2.2",
    "write a TIME-OFFSET from 0 to the duration; a negative one counts from the end",
)
def _start_range(p: Presentation) -> Iterator[Fault]:
    """EXT-X-START has a TIME-OFFSET that is not negative and not past the end."""
    longest = max((playlist.duration_s for playlist in p.media.values()), default=None)
    for playlist in p.playlists:
        end = playlist.duration_s if isinstance(playlist, MediaPlaylist) else longest
        for tag in playlist.all("EXT-X-START"):
            value = read_attributes(tag.value).get("TIME-OFFSET")
            offset_s = read_signed(value)
            if offset_s is None:
                yield Fault(playlist.name, tag.line, f"TIME-OFFSET is {value!r}")
            elif offset_s < 0:
                what = f"TIME-OFFSET {value} is negative and counts from the end"
                yield Fault(playlist.name, tag.line, what)
            elif end and offset_s > end + _SAME_S:
                what = f"TIME-OFFSET {value} is past the end at {float(end):.3f} s"
                yield Fault(playlist.name, tag.line, what)


@FAMILY.error(
    "date-time-same",
    "RFC 8216bis 4.4.4.6, 6.2.4",
    "write the instant of sample 0 in every Media Playlist, and count on from it",
)
def _date_time_same(p: Presentation) -> Iterator[Fault]:
    """Dates are in all Media Playlists or in none, and name the same instant for the same time."""
    zeros: list[tuple[MediaPlaylist, float | None]] = []
    for playlist in p.media.values():
        zero = None
        at = Fraction(0)
        for segment in playlist.segments:
            if segment.date_time is not None:
                this = segment.date_time.timestamp() - float(at)
                if zero is not None and abs(this - zero) > _DRIFT_S:
                    what = f"its date is {this - zero:+.3f} s off what the durations add up to"
                    yield Fault(playlist.name, segment.line, what)
                zero = this if zero is None else zero
            at += segment.duration_s or 0
        zeros.append((playlist, zero))
    for playlist, zero in zeros[1:]:
        first_playlist, first = zeros[0]
        if (zero is None) != (first is None):
            yield Fault(playlist.name, None, f"unlike {first_playlist.name} in having a date")
        elif zero is not None and first is not None and abs(zero - first) > _DRIFT_S:
            what = f"begins {zero - first:+.3f} s off {first_playlist.name} by its date"
            yield Fault(playlist.name, None, what)


@FAMILY.warning(
    "independent-segments",
    "RFC 8216bis 4.4.2.1; Apple HLS authoring 8.23, 9.11",
    "write EXT-X-INDEPENDENT-SEGMENTS: sound can be begun anywhere",
)
def _independent_segments(p: Presentation) -> Iterator[Fault]:
    """Every playlist says that its segments can be begun at."""
    for playlist in p.playlists:
        if playlist.first("EXT-X-INDEPENDENT-SEGMENTS") is None:
            yield Fault(playlist.name, None, "has no EXT-X-INDEPENDENT-SEGMENTS")


@FAMILY.error(
    "extinf-samples",
    "RFC 8216bis 4.4.4.1",
    "write EXTINF from the segment's count of samples, with six decimals",
)
def _extinf_samples(p: Presentation) -> Iterator[Fault]:
    """EXTINF is how long the segment's samples last, within a millisecond."""
    for playlist, reading in p.read:
        timescale = 0 if reading.header is None else reading.header.timescale
        for segment, found in zip(playlist.segments, reading.segments, strict=True):
            if not timescale or segment.duration_s is None or found is None or not found.fragments:
                continue
            real = Fraction(sum(f.samples for f in found.fragments), timescale)
            if abs(segment.duration_s - real) > _EXTINF_OFF_S:
                lasts = f"{float(segment.duration_s):g} s", f"{float(real):g} s"
                what = f"EXTINF is {lasts[0]}, its samples last {lasts[1]}"
                yield Fault(playlist.name, segment.line, what)


@FAMILY.error(
    "extinf-drift",
    "Apple HLS authoring 8.1; RFC 8216bis 4.4.4.1",
    "write EXTINF with six decimals: three are 0.3 s off after two hours",
)
def _extinf_drift(p: Presentation) -> Iterator[Fault]:
    """EXTINFs added up lead to where a segment's first sample is, within 5 ms."""
    for playlist, reading in p.read:
        header = reading.header
        if header is None or not header.timescale:
            continue
        zero: Fraction | None = None
        at = Fraction(0)
        for segment, found in zip(playlist.segments, reading.segments, strict=True):
            if found is not None and found.fragments:
                begins = Fraction(found.fragments[0].decode_time, header.timescale)
                zero = begins - at if zero is None else zero
                off = at + zero - begins
                if abs(off) > _DRIFT_S:
                    what = f"durations before it add up to {float(off):+.3f} s off its first sample"
                    yield Fault(playlist.name, segment.line, what)
                    break
            at += segment.duration_s or 0


def _pairs(p: Presentation) -> Iterator[tuple[MediaPlaylist, MediaPlaylist]]:
    """First Media Playlist with each other one."""
    playlists = list(p.media.values())
    for other in playlists[1:]:
        yield playlists[0], other
