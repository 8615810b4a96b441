"""All HLS text of Tell: RFC 8216, its successor draft (8216bis) and Apple's authoring rules.

Playlists are video on demand: the whole film, ended, with EXT-X-START where the listener joins.
Players that ignore EXT-X-START read `now_playlist`, which begins at the fragment that plays now.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from media.grid import SAMPLE_RATE_HZ, SEGMENT_SAMPLES, seconds
from media.track import Piece, Rendition, Track, group_segments

MEDIA_TYPE = "application/vnd.apple.mpegurl"

# EXT-X-MAP in a playlist without EXT-X-I-FRAMES-ONLY asks for 6 or more (RFC 8216 7).
_VERSION = 6
# Each EXTINF, rounded to the nearest integer, is at most this (RFC 8216 4.3.3.1): 5.76 s -> 6.
TARGET_DURATION_S = math.floor(SEGMENT_SAMPLES / SAMPLE_RATE_HZ + 0.5)

_LANGUAGE_NAMES = {
    "ar": "العربية",
    "de": "Deutsch",
    "en": "English",
    "es": "Español",
    "fr": "Français",
    "he": "עברית",
    "it": "Italiano",
    "ja": "日本語",
    "ko": "한국어",
    "pt": "Português",
    "zh": "中文",
}


def multivariant_playlist(
    track: Track,
    codec: Literal["aac", "opus"],
    stream_token: str,
    position_s: float,
    renditions: Sequence[str] | None = None,
) -> str:
    """Multivariant Playlist of the renditions of one codec, in the track's own order.

    AAC and Opus never stand in one playlist: together they break Chromium's own HLS.
    *renditions* narrows and orders them by name; the first is where a player begins. URIs are from
    the root, since the playlist is also answered at `/media/audio/`. *position_s* is where in the
    track playback starts.
    """
    offered = [r for r in track.renditions if r.codec == codec]
    if renditions is not None:
        by_name = {r.name: r for r in offered}
        offered = [by_name[name] for name in renditions if name in by_name]
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{_VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    lines.append(_start(position_s))
    lines.extend(_media(track, rendition, stream_token) for rendition in offered)
    for rendition in offered:
        # BANDWIDTH is the measured peak and AVERAGE-BANDWIDTH the measured mean (8216bis 4.4.6.2).
        lines.append(
            f"#EXT-X-STREAM-INF:BANDWIDTH={rendition.peak_bps}"
            f",AVERAGE-BANDWIDTH={rendition.average_bps}"
            f',CODECS="{rendition.codecs}",AUDIO="{rendition.name}"'
        )
        lines.append(_rendition_uri(stream_token, rendition))
    return "\n".join(lines) + "\n"


def media_playlist(track: Track, rendition: Rendition, position_s: float, zero_at: datetime) -> str:
    """Media Playlist of the whole film (RFC 8216 4.3.3).

    *zero_at* is the instant at which the track's sample 0 sounds: movie_start + track_offset_s.
    """
    return media_playlist_head(rendition, position_s, zero_at) + media_playlist_segments(rendition)


def media_playlist_head(
    rendition: Rendition, position_s: float, begins_at: datetime, uri_prefix: str = ""
) -> str:
    """What stands before the segments: EXT-X-START and PROGRAM-DATE-TIME are of the moment.

    *begins_at* is the instant at which the first segment sounds.
    """
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{_VERSION}",
        f"#EXT-X-TARGETDURATION:{TARGET_DURATION_S}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        _start(position_s),
        # The init section alone, with an explicit offset (RFC 8216 4.3.2.5).
        f'#EXT-X-MAP:URI="{uri_prefix}{rendition.file_name}"'
        f',BYTERANGE="{rendition.init.size}@{rendition.init.offset}"',
        f"#EXT-X-PROGRAM-DATE-TIME:{_date_time(begins_at)}",
    ]
    return "\n".join(lines) + "\n"


def media_playlist_segments(rendition: Rendition) -> str:
    """The rest, to the end: the same for everybody, always."""
    return _segments(rendition, rendition.segments, "")


def now_playlist(
    track: Track,
    rendition: Rendition,
    position_s: float,
    zero_at: datetime,
    uri_prefix: str = "",
) -> str:
    """Media Playlist that begins at the fragment nearest to *position_s*.

    For players that ignore EXT-X-START: the beginning is within half a fragment (0.48 s) of the
    position. Its first media segment is what is left of the running one, the others are whole, so
    that the target duration holds. *uri_prefix* stands before the file's name.
    """
    fragments = rendition.fragments
    first = min(round(position_s * SAMPLE_RATE_HZ / fragments[0].samples), len(fragments) - 1)
    # From the running segment, what is left; the boundaries after it are those of all renditions.
    per_segment = SEGMENT_SAMPLES // fragments[0].samples
    next_segment = (first // per_segment + 1) * per_segment
    rest = group_segments(fragments[first:next_segment])
    pieces = rest + group_segments(fragments[next_segment:])
    skipped = sum(piece.samples for piece in fragments[:first])
    begins_at = zero_at + timedelta(seconds=seconds(skipped))
    head = media_playlist_head(rendition, 0.0, begins_at, uri_prefix)
    return head + _segments(rendition, pieces, uri_prefix)


def _segments(rendition: Rendition, pieces: Sequence[Piece], uri_prefix: str) -> str:
    uri = f"{uri_prefix}{rendition.file_name}"
    lines = []
    for piece in pieces:
        # Six decimals from the sample count: three would be 0.3 s off after two hours.
        lines.append(f"#EXTINF:{seconds(piece.samples):.6f},")
        # The offset is always written, so that no client has to add up (RFC 8216 4.3.2.2).
        lines.append(f"#EXT-X-BYTERANGE:{piece.size}@{piece.offset}")
        lines.append(uri)
    lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def _start(position_s: float) -> str:
    # Never negative: that would count from the end (RFC 8216 4.3.5.2). PRECISE because the sound
    # before the position must not be heard.
    return f"#EXT-X-START:TIME-OFFSET={max(position_s, 0.0):.6f},PRECISE=YES"


def _media(track: Track, rendition: Rendition, stream_token: str) -> str:
    # One group for each bit rate with the same member, as Apple's authoring rules ask (8.10), the
    # AD characteristic of 8216bis 4.4.6.1, and the variant's own URI, which works in every client.
    return (
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{rendition.name}"'
        f',NAME="{_name(track.language)}",LANGUAGE="{track.language}",DEFAULT=YES,AUTOSELECT=YES'
        f',CHARACTERISTICS="public.accessibility.describes-video",CHANNELS="{rendition.channels}"'
        f',URI="{_rendition_uri(stream_token, rendition)}"'
    )


def _name(language: str) -> str:
    spoken = _LANGUAGE_NAMES.get(language.partition("-")[0].lower(), language)
    return f"{spoken} (audio description)"


def _rendition_uri(stream_token: str, rendition: Rendition) -> str:
    return f"/stream/{stream_token}/{rendition.name}.m3u8"


def _date_time(instant: datetime) -> str:
    # ISO 8601 with the zone and milliseconds, as RFC 8216 4.3.2.6 shows it.
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
