"""The encoders' command lines, whole."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from packager.encoding.encoders import encode_command
from packager.encoding.ladder import parse_ladder
from packager.errors import WorkFolderError
from packager.source.prepared import Prepared

# Compared as text, so that no argument comes or goes unseen.
_IN = "ffmpeg -f f32le -ac 1 -ar 48000 -i file:/work/prepared.f32 -filter_complex '"
_OUT = (
    "-fflags +bitexact -flags:a +bitexact -frag_duration 2000000 {}"
    "-movflags +empty_moov+default_base_moof+skip_sidx+skip_trailer {}-use_editlist 0 {}pipe:1"
    " -hide_banner -nostats -loglevel error -xerror"
)
_DROP = "-bsf:a 'noise=drop=lt(pts\\,0)+gte(pts\\,15360)' "


def _command(name: str, gain_db: float = 0.0) -> str:
    prepared = Prepared(Path("/work/prepared.f32"), 15_000, gain_db)
    return shlex.join(encode_command(prepared, parse_ladder([name])[0], 15_360, "ffmpeg"))


def test_aac_command() -> None:
    """AAC-LC with the thorough coder; the priming frame and the one past the end are dropped."""
    assert _command("aac-64k") == (
        _IN
        + "[0:a:0]apad=whole_len=16384[s0];[s0]atrim=end_sample=16384[s1]' -map '[s1]'"
        + " -f mp4 -b:a 64000 -aac_coder twoloop -acodec aac -avoid_negative_ts disabled "
        + _DROP
        + "-cutoff 16000 "
        + _OUT.format("", "-profile:a aac_low ", "")
    )


@pytest.mark.parametrize(
    ("name", "coder", "cutoff_hz"),
    [
        ("aac-32k", "twoloop", 12_000),
        ("aac-64k", "twoloop", 16_000),
        ("aac-96k", "fast", 20_000),
        ("aac-128k", "fast", 20_000),
    ],
)
def test_aac_by_rate(name: str, coder: str, cutoff_hz: int) -> None:
    """The thorough search and a lower cutoff where bits are few, as docs/encoders.md measured."""
    command = _command(name)
    assert f" -aac_coder {coder} " in command
    assert f" -cutoff {cutoff_hz} " in command


def test_opus_command() -> None:
    """Opus with its priming filled up to a packet, which is dropped, and the times moved back."""
    silence = "concat:subfile,,start,0,end,2592,,:/dev/zero|file:/work/prepared.f32"
    assert _command("opus-24k") == (
        _IN.replace("file:/work/prepared.f32", f"'{silence}'").replace(
            " -i ", " -itsoffset -0.0135 -i "
        )
        + "[0:a:0]apad=whole_len=16968[s0];[s0]atrim=end_sample=16968[s1]' -map '[s1]'"
        + " -f mp4 -b:a 24000 -acodec libopus -application audio -avoid_negative_ts disabled "
        + _DROP
        + "-compression_level 5 "
        + _OUT.format("-frame_duration 20 ", "", "-vbr constrained ")
    )


def test_separator_in_the_path_is_refused() -> None:
    """A work folder that ffmpeg would read as two files is named, before anything is encoded."""
    prepared = Prepared(Path("/work|er/prepared.f32"), 15_000)
    with pytest.raises(WorkFolderError, match=r"/work\|er/prepared.f32.*\|"):
        encode_command(prepared, parse_ladder(["opus-24k"])[0], 15_360, "ffmpeg")


def test_opus_is_coded_without_analysis() -> None:
    """At every rate: the speech mode makes soft tones loud (docs/encoders.md)."""
    for name in ("opus-24k", "opus-48k"):
        assert " -compression_level 5 " in _command(name)


def test_gain_is_linear_and_in_floats() -> None:
    """Loudness normalisation is one factor for the whole track, before everything else."""
    assert "[0:a:0]volume=precision=float:volume=-3.25dB[s0];[s0]apad" in _command("aac-64k", -3.25)
