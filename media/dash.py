"""The static MPD (ISO 23009-1) over the same files, addressed by their sidx.

A static MPD with an explicit start is exact in dash.js and shaka-player; a dynamic one is seconds
off. The MPD itself says no start: the page tells it to its player (docs/delivery.md), since an
anchor in the grant's address (`#t=`, ISO 23009-1 C.4) would be old by the time it is opened.
"""

from __future__ import annotations

from typing import Literal
from xml.sax.saxutils import quoteattr

from media.grid import SAMPLE_RATE_HZ, SEGMENT_S
from media.track import Rendition, Track

MEDIA_TYPE = "application/dash+xml"

# AdaptationSet@id is an unsigned integer (ISO 23009-1 5.3.3.2).
_SET_IDS = {"aac": 1, "opus": 2}


def mpd(track: Track, stream_token: str) -> str:
    """MPD of all renditions: one Adaptation Set for each codec, BaseURLs from the root."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"'
        # The on-demand profile: one file a Representation, SegmentBase (ISO 23009-1 8.3).
        ' profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"'
        f' mediaPresentationDuration="{_duration(track.duration_s)}"'
        f' minBufferTime="{_duration(SEGMENT_S)}">',
        f"  <Period id={quoteattr(track.version)}>",
    ]
    codecs: tuple[Literal["aac", "opus"], ...] = ("aac", "opus")
    for codec in codecs:
        lines += _adaptation_set(track, codec, stream_token)
    lines += ["  </Period>", "</MPD>"]
    return "\n".join(lines) + "\n"


def _adaptation_set(track: Track, codec: Literal["aac", "opus"], stream_token: str) -> list[str]:
    renditions = [r for r in track.renditions if r.codec == codec]
    if not renditions:
        return []
    lines = [
        f'    <AdaptationSet id="{_SET_IDS[codec]}" contentType="audio" mimeType="audio/mp4"'
        f' lang={quoteattr(track.language)} subsegmentAlignment="true"'
        ' subsegmentStartsWithSAP="1">',
        # DASH role "description" and the AD purpose of TV-Anytime (ISO 23009-1 5.8.5.5; DASH-IF).
        '      <Accessibility schemeIdUri="urn:tva:metadata:cs:AudioPurposeCS:2007" value="1"/>',
        '      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="description"/>',
    ]
    for rendition in renditions:
        lines += _representation(rendition, stream_token)
    lines.append("    </AdaptationSet>")
    return lines


def _representation(rendition: Rendition, stream_token: str) -> list[str]:
    # sidx lies between the init section and the first fragment: indexRange is all that is there.
    index_first = rendition.init.offset + rendition.init.size
    index_last = rendition.fragments[0].offset - 1
    init_last = index_first - 1
    return [
        f'      <Representation id="{rendition.name}" codecs="{rendition.codecs}"'
        f' bandwidth="{rendition.peak_bps}" audioSamplingRate="{SAMPLE_RATE_HZ}">',
        '        <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:'
        f'audio_channel_configuration:2011" value="{rendition.channels}"/>',
        f"        <BaseURL>/stream/{stream_token}/{rendition.file_name}</BaseURL>",
        f'        <SegmentBase indexRange="{index_first}-{index_last}" timescale="{SAMPLE_RATE_HZ}"'
        ' presentationTimeOffset="0">',
        f'          <Initialization range="{rendition.init.offset}-{init_last}"/>',
        "        </SegmentBase>",
        "      </Representation>",
    ]


def _duration(duration_s: float) -> str:
    return f"PT{duration_s:.6f}S"
