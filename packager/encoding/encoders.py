"""The encoders' command lines: from the prepared sound to packets whose sample 0 is the sound's.

An encoder puts its priming first: 1,024 samples in AAC, 312 in Opus. Players disagree about what
may be said of it in the file (docs/measurements.md), so nothing is left to say: the packet that
holds it is dropped, and the time of the next is 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import ffmpeg

from media.grid import SAMPLE_RATE_HZ
from packager.encoding.ladder import OPUS_PACKET_SAMPLES, Rung
from packager.errors import WorkFolderError
from packager.source.commands import Node, compiled
from packager.source.prepared import BYTES_PER_SAMPLE, Prepared

# libopus looks 312 samples ahead at 48 kHz (6.5 ms). With 648 samples of silence before the sound
# its priming fills exactly one packet, which can then be dropped whole.
_OPUS_PRIMING = 312
_OPUS_FILL = OPUS_PACKET_SAMPLES - _OPUS_PRIMING
# That silence as the first bytes of the sound. As a filter (adelay) it cost an eighth of the
# encoder's time, for the same packets to the byte.
_SILENCE = f"subfile,,start,0,end,{_OPUS_FILL * BYTES_PER_SAMPLE},,:/dev/zero"
# AAC at this rate and above has bits enough for the fast search of scale factors.
_FAST_FROM_BPS = 96_000
# Highest frequency of AAC in Hz, by the bit rate that it is for: below this one.
_AAC_CUTOFFS_HZ = (48_000, 12_000), (96_000, 16_000), (math.inf, 20_000)
# Microseconds between the encoder's own fragments: these are only how packets reach us, and two
# seconds of the highest rate are a hundred kilobytes.
_PIPE_FRAGMENT_US = 2_000_000


def encode_command(
    prepared: Prepared,
    rung: Rung,
    length_samples: int,
    ffmpeg_path: str,
    *,
    instead: Mapping[str, Node] | None = None,
) -> list[str]:
    """Command that writes *rung* of *prepared* as a fragmented MP4 to its stdout.

    *instead* are encoder options that are tried in place of the rung's own (bench/encoders.py).
    The sound is padded with silence to *length_samples* exactly. It goes to stdout, because an
    encoder whose packager was killed then fails at its next write, instead of filling a disk.
    """
    lead_samples = _OPUS_FILL if rung.codec == "opus" else 0
    # One packet more than is kept: the encoder's own last packet would end 312 samples early.
    fed_samples = lead_samples + length_samples + rung.packet_samples
    sound = prepared_sound(prepared, lead_samples)
    sound = sound.filter("apad", whole_len=fed_samples).filter("atrim", end_sample=fed_samples)
    output = sound.output(
        "pipe:1",
        **{**encoder_options(rung), **(instead or {})},
        **{
            # The priming has negative times, the packet too many has times past the end.
            "bsf:a": f"noise=drop=lt(pts\\,0)+gte(pts\\,{length_samples})",
            # The first kept packet is at 0 already; a shift would hide a packet lost before it.
            "avoid_negative_ts": "disabled",
            # The same source gives the same bytes: no encoder version, no date.
            "fflags": "+bitexact",
            "flags:a": "+bitexact",
            "format": "mp4",
            # empty_moov: fragments from the first sample on, written as they come.
            # default_base_moof: offsets count from each moof, as packets.py expects.
            # skip_sidx, skip_trailer: muxer.py writes the one index that we want.
            "movflags": "+empty_moov+default_base_moof+skip_sidx+skip_trailer",
            # No edit list in any case: players read it in different ways.
            "use_editlist": 0,
            "frag_duration": _PIPE_FRAGMENT_US,
        },
    )
    return compiled(output, ffmpeg_path)


def prepared_sound(prepared: Prepared, lead_samples: int = 0) -> Node:
    """Return the ffmpeg-python node of the prepared sound with its gain.

    *lead_samples* of silence go before it, at times below 0, so that the sound's 0 stays 0: none,
    or as many as Opus needs. Raises WorkFolderError where the path has a `|`.
    """
    url = f"file:{prepared.path.absolute()}"
    options: dict[str, Node] = {}
    if lead_samples:
        # ffmpeg's concat protocol has no way to quote its separator.
        if "|" in url:
            raise WorkFolderError(
                url.removeprefix("file:"), "ffmpeg takes a | in a path for its own"
            )
        url = f"concat:{_SILENCE}|{url}"
        options["itsoffset"] = -lead_samples / SAMPLE_RATE_HZ
    # Raw samples say nothing of themselves.
    sound = ffmpeg.input(url, format="f32le", ar=SAMPLE_RATE_HZ, ac=1, **options)["a:0"]
    if prepared.gain_db == 0.0:
        return sound
    # float: a gain in whole steps of 16 bits would cost the quiet parts their last bits.
    return sound.filter("volume", volume=f"{prepared.gain_db}dB", precision="float")


def encoder_options(rung: Rung) -> dict[str, Node]:
    """Options of ffmpeg's encoder for *rung*, as measured in docs/encoders.md."""
    if rung.codec == "aac":
        return {
            "acodec": "aac",
            "profile:a": "aac_low",  # AAC-LC, what every player has (mp4a.40.2)
            "audio_bitrate": rung.bit_rate_bps,
            # The fast search is as good from 96 kbit/s on, at half the cost. Below it does not keep
            # its rate: 32 kbit/s became 82 on a breathy voice, where the thorough one made 36.
            "aac_coder": "fast" if rung.bit_rate_bps >= _FAST_FROM_BPS else "twoloop",
            # Bits for what is above are missing below.
            "cutoff": next(hz for below, hz in _AAC_CUTOFFS_HZ if rung.bit_rate_bps < below),
        }
    return {
        "acodec": "libopus",
        "audio_bitrate": rung.bit_rate_bps,
        # Speech needs its bits in bursts, but within what a buffer of a second evens out: free, the
        # same quality came at peaks of 28.8 in place of 26.0 kbit/s.
        "vbr": "constrained",
        # Below 7 there is no analysis of the sound and no speech mode, and half the cost. With
        # them, seconds of soft tones at 24 kbit/s came out 15 LU louder than they are.
        "compression_level": 5,
        "frame_duration": OPUS_PACKET_SAMPLES * 1000 // SAMPLE_RATE_HZ,  # ms, 48 to a fragment
        # Not voip: its high-pass filter and enhancement move the sound away from the master's.
        "application": "audio",
    }
