"""One ffmpeg for each rendition, from the source to fragments whose sample 0 is the source's.

An encoder puts its priming first: 1,024 samples in AAC, 312 in Opus. Players disagree about what
may be said of it in the file (docs/measurements.md), so nothing is left to say: the packet that
holds it is dropped, and the time of the next is 0.
"""

from __future__ import annotations

from pathlib import Path

from media.grid import FRAGMENT_SAMPLES, SAMPLE_RATE_HZ
from packager.conform import Node, compiled, conformed
from packager.ladder import OPUS_PACKET_SAMPLES, Rung

# libopus looks 312 samples ahead at 48 kHz (6.5 ms). With 648 samples of silence before the sound
# its priming fills exactly one packet, which can then be dropped whole.
_OPUS_PRIMING = 312
_OPUS_FILL = OPUS_PACKET_SAMPLES - _OPUS_PRIMING


def encode_command(source: Path, rung: Rung, length_samples: int, ffmpeg_path: str) -> list[str]:
    """Command that writes *rung* of *source* as a fragmented MP4 to its stdout.

    The sound is padded with silence to *length_samples* exactly. It goes to stdout, because an
    encoder whose packager was killed then fails at its next write, instead of filling a disk.
    """
    # One packet more than is kept: the encoder's own last packet would end 312 samples early.
    fed_samples = length_samples + rung.packet_samples
    sound = (
        conformed(source)
        .filter("apad", whole_len=fed_samples)
        .filter("atrim", end_sample=fed_samples)
    )
    if rung.codec == "opus":
        sound = (
            sound.filter("adelay", f"{_OPUS_FILL}S")
            # The delay moves the sound; this moves its times back, so that the source's 0 stays 0.
            .filter("asetpts", f"PTS-{_OPUS_FILL}")
        )
    output = sound.output(
        "pipe:1",
        **_encoder(rung),
        **{
            # The priming has negative times, the packet too many has times past the end.
            "bsf:a": f"noise=drop=lt(pts\\,0)+gte(pts\\,{length_samples})",
            # The first kept packet is at 0 already; a shift would hide a packet lost before it.
            "avoid_negative_ts": "disabled",
            # The same source gives the same bytes: no encoder version, no date.
            "fflags": "+bitexact",
            "flags:a": "+bitexact",
            # Titles and dates of the source are not ours to publish.
            "map_metadata": -1,
            "format": "mp4",
            # empty_moov: fragments from the first sample on, written as they come.
            # default_base_moof: offsets count from each moof, so that mux.py may move it.
            # skip_sidx, skip_trailer: mux.py writes the one index that we want.
            "movflags": "+empty_moov+default_base_moof+skip_sidx+skip_trailer",
            # No edit list in any case: players read it in different ways.
            "use_editlist": 0,
            # Microseconds: a fragment ends at the first packet that begins this far after its own.
            "frag_duration": FRAGMENT_SAMPLES * 1_000_000 // SAMPLE_RATE_HZ,
        },
    )
    return compiled(output, ffmpeg_path)


def _encoder(rung: Rung) -> dict[str, Node]:
    if rung.codec == "aac":
        return {
            "acodec": "aac",
            "profile:a": "aac_low",  # AAC-LC, what every player has (mp4a.40.2)
            "audio_bitrate": rung.bit_rate_bps,
            # The thorough search for scale factors, at 60 x realtime on one core with ffmpeg 8.1.2
            # (120 s of speech: 2.0 s of CPU at 32 and 64 kbit/s, 1.7 at 128). The fast one takes
            # 0.4 to 0.8 s, but drops high bands at 32 kbit/s and does not keep its rate: 64 kbit/s
            # became 197 on a breathy voice, where this one gave 79.
            "aac_coder": "twoloop",
        }
    return {
        "acodec": "libopus",
        "audio_bitrate": rung.bit_rate_bps,
        "vbr": "on",  # speech needs its bits in bursts; peaks are measured, not assumed
        "frame_duration": OPUS_PACKET_SAMPLES * 1000 // SAMPLE_RATE_HZ,  # ms, 48 to a fragment
        # Not voip: its high-pass filter and enhancement move the sound away from the master's.
        "application": "audio",
    }
