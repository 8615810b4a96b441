"""Playlists, compared as whole text."""

from __future__ import annotations

from datetime import UTC, datetime

import m3u8
import pytest

from media.grid import FRAGMENT_SAMPLES
from media.hls import media_playlist, multivariant_playlist, now_playlist
from media.playhead import track_position_s
from media.track import Track
from tests.media.tracks import make_track

ZERO_AT = datetime(2026, 11, 22, 19, 30, 0, 250_000, tzinfo=UTC)


@pytest.fixture(name="track")
def _track() -> Track:
    return make_track(fragments=8)


def test_multivariant_playlist_whole(track: Track) -> None:
    """The AAC renditions alone, each with its AD group, START and URIs from the root."""
    assert multivariant_playlist(track, "aac", "TOKEN", 720.5) == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:6\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-START:TIME-OFFSET=720.500000,PRECISE=YES\n"
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac-32k",NAME="English (audio description)"'
        ',LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES'
        ',CHARACTERISTICS="public.accessibility.describes-video",CHANNELS="1"'
        ',URI="/stream/TOKEN/aac-32k.m3u8"\n'
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac-64k",NAME="English (audio description)"'
        ',LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES'
        ',CHARACTERISTICS="public.accessibility.describes-video",CHANNELS="1"'
        ',URI="/stream/TOKEN/aac-64k.m3u8"\n'
        "#EXT-X-STREAM-INF:BANDWIDTH=34000,AVERAGE-BANDWIDTH=32000"
        ',CODECS="mp4a.40.2",AUDIO="aac-32k"\n'
        "/stream/TOKEN/aac-32k.m3u8\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=68000,AVERAGE-BANDWIDTH=64000"
        ',CODECS="mp4a.40.2",AUDIO="aac-64k"\n'
        "/stream/TOKEN/aac-64k.m3u8\n"
    )


def test_opus_stands_alone(track: Track) -> None:
    """AAC and Opus are never in one playlist."""
    text = multivariant_playlist(track, "opus", "T", 0.0)
    assert "opus-24k" in text
    assert "aac" not in text


def test_renditions_are_narrowed_and_ordered(track: Track) -> None:
    """The first one named is the first one offered, and unknown names are passed over."""
    text = multivariant_playlist(track, "aac", "T", 0.0, ["aac-64k", "aac-999k"])
    assert [v.uri for v in m3u8.loads(text).playlists] == ["/stream/T/aac-64k.m3u8"]


def test_media_playlist_whole(track: Track) -> None:
    """Init range, DATE-TIME of sample 0, exact durations, explicit offsets, the end."""
    rendition = track.renditions[0]
    assert media_playlist(track, rendition, 3.25, ZERO_AT) == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:6\n"
        "#EXT-X-TARGETDURATION:6\n"
        "#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-START:TIME-OFFSET=3.250000,PRECISE=YES\n"
        '#EXT-X-MAP:URI="aac-32k.mp4",BYTERANGE="600@0"\n'
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-22T19:30:00.250Z\n"
        "#EXTINF:5.760000,\n"
        "#EXT-X-BYTERANGE:24000@700\n"
        "aac-32k.mp4\n"
        "#EXTINF:1.920000,\n"
        "#EXT-X-BYTERANGE:8000@24700\n"
        "aac-32k.mp4\n"
        "#EXT-X-ENDLIST\n"
    )


@pytest.mark.parametrize("fragments", [1, 6, 7, 30])
def test_a_player_reads_back_the_index(fragments: int) -> None:
    """An independent parser finds every segment of track.json, byte for byte."""
    track = make_track(fragments=fragments)
    for rendition in track.renditions:
        parsed = m3u8.loads(media_playlist(track, rendition, 0.0, ZERO_AT))
        assert [s.byterange for s in parsed.segments] == [
            f"{p.size}@{p.offset}" for p in rendition.segments
        ]
        assert sum(s.duration for s in parsed.segments) == pytest.approx(track.duration_s)
        assert parsed.is_endlist
        assert parsed.target_duration >= max(round(s.duration) for s in parsed.segments)


@pytest.mark.parametrize(
    ("position_s", "begins_s", "first_s"),
    [
        (0.0, 0.0, 5.76),
        (0.47, 0.0, 5.76),
        (0.49, 0.96, 4.80),
        (5.3, 5.76, 5.76),
        (10.0, 9.6, 1.92),
        (1e9, 28.8 - 0.96, 0.96),
    ],
)
def test_now_playlist_begins_within_half_a_fragment(
    position_s: float, begins_s: float, first_s: float
) -> None:
    """It begins at the nearest fragment; the segments after it are those of the other playlists."""
    track = make_track(fragments=30)
    rendition = track.renditions[0]
    parsed = m3u8.loads(now_playlist(track, rendition, position_s, ZERO_AT, "/stream/T/"))
    segment = parsed.segments[0]
    started = segment.current_program_date_time
    assert started is not None
    assert (started - ZERO_AT).total_seconds() == pytest.approx(begins_s, abs=0.001)
    assert segment.duration == pytest.approx(first_s)
    assert segment.uri == "/stream/T/aac-32k.mp4"
    whole = {f"{p.size}@{p.offset}" for p in rendition.segments}
    assert {s.byterange for s in parsed.segments[1:]} <= whole


@pytest.mark.parametrize(
    ("offset_s", "track_offset_s", "expected_s"),
    [(-300.0, 0.0, 0.0), (0.0, 0.0, 0.0), (4.0, 1.5, 2.5), (1.0, 1.5, 0.0), (1e6, 0.0, 7.68)],
)
def test_position_is_held_within_the_track(
    offset_s: float, track_offset_s: float, expected_s: float
) -> None:
    """Before the film it is 0, never negative; after the track it is the track's end."""
    track = make_track(fragments=8, track_offset_s=track_offset_s)
    assert track.duration_samples == 8 * FRAGMENT_SAMPLES
    assert track_position_s(offset_s, track) == pytest.approx(expected_s)
