"""The ffmpeg command by which a source is decoded, once: its own channels, and the mono of them.

The mono at 48 kHz is what gets encoded. The channels, at the source's own rate, are only looked at:
mixing hides what is out of phase, and resampling rounds what is clipped.
"""

from __future__ import annotations

from typing import Any

import ffmpeg

from media.grid import SAMPLE_RATE_HZ
from packager.source.probe import AudioTrack, Picture, SourceClaims, source_url

# The graph's nodes come from a library without types.
Node = Any

# Before every command: no banner and nothing but errors on stderr, which we keep and quote.
GLOBAL_ARGUMENTS = ("-hide_banner", "-nostats", "-loglevel", "error")


def decode_command(
    claims: SourceClaims,
    track: AudioTrack,
    film_starts_at_s: float,
    mono_url: str,
    channels_url: str | None,
    ffmpeg_path: str,
) -> list[str]:
    """Command that writes *track* to *mono_url* and, unless it is None, to *channels_url*.

    Both are raw 32-bit floats, little-endian, and begin where the film does.
    """
    opened = ffmpeg.input(
        source_url(claims.path),
        # A playlist given as a source must not make us open the network.
        protocol_whitelist="file,pipe",
        # With -xerror (see `compiled`): damage ends the run instead of being skipped in silence.
        err_detect="explode",
        # Film pictures are never looked at.
        vn=None,
        # The file's own times, by which sound and pictures belong together.
        copyts=None,
    )
    sound = opened[f"a:{track.index}"]
    if channels_url is None:
        return compiled(_raw(_mono(sound, claims.picture, film_starts_at_s), mono_url), ffmpeg_path)
    split = sound.filter_multi_output("asplit", 2)
    outputs = ffmpeg.merge_outputs(
        _raw(_mono(split[0], claims.picture, film_starts_at_s), mono_url),
        _raw(
            _from_film(split[1], claims.picture, film_starts_at_s, track.sample_rate_hz),
            channels_url,
        ),
    )
    return compiled(outputs, ffmpeg_path)


def compiled(output: Node, ffmpeg_path: str) -> list[str]:
    """Command line of a graph, with what all of ours share."""
    # -xerror: the first error ends ffmpeg with a code; without it a cut-off or damaged source ends
    # with 0 (docs/measurements.md).
    command: list[str] = output.global_args(*GLOBAL_ARGUMENTS, "-xerror").compile(cmd=ffmpeg_path)
    return command


def _mono(sound: Node, picture: Picture | None, film_starts_at_s: float) -> Node:
    # All channels of the master are mixed: AD goes into one ear.
    return _from_film(sound, picture, film_starts_at_s, SAMPLE_RATE_HZ).filter(
        "aformat", channel_layouts="mono"
    )


def _from_film(sound: Node, picture: Picture | None, film_starts_at_s: float, rate_hz: int) -> Node:
    """*sound* at *rate_hz* from the film's first frame on."""
    # In floats: with 16-bit input ffmpeg would resample in 16 bits.
    options: dict[str, object] = {
        "osf": "flt",
        # In floats ffmpeg would add channels up as they are, 3 dB and more above full scale.
        "rematrix_maxval": 1.0,
    }
    if picture is not None:
        # A track of a film file may begin after the pictures: silence fills the gap, and what lies
        # before the first picture is cut. Sound files have no time but that of their samples.
        options["first_pts"] = round(picture.starts_s * rate_hz)
    sound = sound.filter("aresample", rate_hz, **options)
    if first := round(film_starts_at_s * rate_hz):
        sound = sound.filter("atrim", start_sample=first)
    return sound


def _raw(node: Node, url: str) -> Node:
    return node.output(url, format="f32le", acodec="pcm_f32le")
