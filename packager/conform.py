"""The one way in which every stage hears the source: its first audio track, 48 kHz, mono.

The check, all encoders and the verification share it, so that they mean the same sample by t = 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ffmpeg

from media.grid import SAMPLE_RATE_HZ
from packager.probe import source_url

# The graph's nodes come from a library without types.
Node = Any

# Before every command: no banner and nothing but errors on stderr, which we keep and quote.
GLOBAL_ARGUMENTS = ("-hide_banner", "-nostats", "-loglevel", "error")


def conformed(source: Path) -> Node:
    """Return the ffmpeg-python node of the source's sound at 48 kHz, mono."""
    opened = ffmpeg.input(
        source_url(source),
        # A playlist given as a source must not make us open the network.
        protocol_whitelist="file,pipe",
        # With -xerror (see `compiled`): damage ends the run instead of being skipped in silence.
        err_detect="explode",
        # Film pictures are never looked at.
        vn=None,
    )
    return (
        opened["a:0"]
        .filter("aresample", SAMPLE_RATE_HZ)
        # All channels of the master are mixed: AD goes into one ear.
        .filter("aformat", channel_layouts="mono")
    )


def compiled(output: Node, ffmpeg_path: str) -> list[str]:
    """Command line of a graph, with what all of ours share."""
    # -xerror: the first error ends ffmpeg with a code; without it a cut-off or damaged source ends
    # with 0 (docs/measurements.md).
    command: list[str] = output.global_args(*GLOBAL_ARGUMENTS, "-xerror").compile(cmd=ffmpeg_path)
    return command


def pcm(node: Node) -> Node:
    """Output as raw 16-bit samples on stdout, which we count ourselves."""
    return node.output(
        "pipe:1",
        format="s16le",
        acodec="pcm_s16le",
    )
