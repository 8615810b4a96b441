"""The encoders' command lines, whole."""

from __future__ import annotations

import shlex
from pathlib import Path

from packager.encode import encode_command
from packager.ladder import parse_ladder

# Compared as text, so that no argument comes or goes unseen.
_COMMON_IN = (
    "ffmpeg -err_detect explode -protocol_whitelist file,pipe -vn -i file:/srv/master.wav"
    " -filter_complex '[0:a:0]aresample=48000[s0];[s0]aformat=channel_layouts=mono[s1];"
)
_COMMON_OUT = (
    "-fflags +bitexact -flags:a +bitexact -frag_duration 960000 {}-map_metadata -1"
    " -movflags +empty_moov+default_base_moof+skip_sidx+skip_trailer {}-use_editlist 0 {}pipe:1"
    " -hide_banner -nostats -loglevel error -xerror"
)


def _command(name: str) -> str:
    rung = parse_ladder([name])[0]
    return shlex.join(encode_command(Path("/srv/master.wav"), rung, 15_360, "ffmpeg"))


def test_aac_command() -> None:
    """AAC-LC with the thorough coder; the priming frame and the one past the end are dropped."""
    assert _command("aac-64k") == (
        _COMMON_IN
        + "[s1]apad=whole_len=16384[s2];[s2]atrim=end_sample=16384[s3]' -map '[s3]'"
        + " -f mp4 -b:a 64000 -aac_coder twoloop -acodec aac -avoid_negative_ts disabled"
        + " -bsf:a 'noise=drop=lt(pts\\,0)+gte(pts\\,15360)' "
        + _COMMON_OUT.format("", "-profile:a aac_low ", "")
    )


def test_opus_command() -> None:
    """Opus with its priming filled up to a packet, which is dropped, and the times moved back."""
    assert _command("opus-24k") == (
        _COMMON_IN
        + "[s1]apad=whole_len=16320[s2];[s2]atrim=end_sample=16320[s3];"
        + "[s3]adelay=648S[s4];[s4]asetpts=PTS-648[s5]' -map '[s5]'"
        + " -f mp4 -b:a 24000 -acodec libopus -application audio -avoid_negative_ts disabled"
        + " -bsf:a 'noise=drop=lt(pts\\,0)+gte(pts\\,15360)' "
        + _COMMON_OUT.format("-frame_duration 20 ", "", "-vbr on ")
    )
