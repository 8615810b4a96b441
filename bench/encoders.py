"""Which options each rung's encoder gets: quality, rate and cost of the candidates, side by side.

Quality is ViSQOL 3 in its audio mode (MOS-LQO, 1 to 4.75), the mean and the lowest over kinds of
sound that a track has; `python -m pip install visqol-python` brings it (it needs a C++ compiler).
Rates are measured, of the packets alone, on the same sounds and on a breathy voice. Cost is the
encoder's processor time. docs/encoders.md has the figures and what was chosen.

    python -m bench.encoders [--rung aac-64k ...]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.material import (
    MissingMaterialError,
    Sound,
    breathy_voice,
    quality_clips,
    synthetic_voice,
)
from media.grid import SAMPLE_RATE_HZ
from packager.encoding.encoders import encode_command
from packager.encoding.ladder import DEFAULT_LADDER, Rung, padded_samples, parse_ladder
from packager.encoding.packets import PacketReader
from packager.ffmpeg import find_tools
from packager.settings import PackagerSection
from packager.source.prepared import Prepared

_ROUNDS = 3
_BREATHY_S = 20.0

_AAC_CUTOFFS_HZ = {
    32: (6_000, 7_000, 10_000, 12_000),
    64: (10_000, 14_000, 16_000),
    96: (13_000, 17_000, 20_000),
    128: (14_000, 18_000, 20_000),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Encoder options that are tried in place of the rung's own."""

    name: str
    options: Mapping[str, Any]


CHOSEN = Candidate("chosen", {})
# For rungs that have the fast coder already it measures the same twice, and says so.
FASTER = {
    "aac": Candidate("fast coder", {"aac_coder": "fast"}),
    "opus": Candidate("complexity 2", {"compression_level": 2}),
}


@dataclass(frozen=True, slots=True)
class Encoded:
    """What an encoder made of one sound: its decoded result, its rate, and what it cost."""

    sound: Sound
    rate_bps: float
    cpu_s_per_hour: float


def candidates(rung: Rung) -> list[Candidate]:
    """What is tried for *rung*."""
    if rung.codec == "aac":
        cutoffs = _AAC_CUTOFFS_HZ.get(rung.bit_rate_bps // 1000, ())
        return [
            # cutoff 0: what ffmpeg takes by itself.
            Candidate("twoloop", {"aac_coder": "twoloop", "cutoff": 0}),
            Candidate("fast", {"aac_coder": "fast", "cutoff": 0}),
            Candidate("twoloop, no pns", {"aac_coder": "twoloop", "cutoff": 0, "aac_pns": 0}),
            *(
                Candidate(f"{coder}, cutoff {hz}", {"aac_coder": coder, "cutoff": hz})
                for hz in cutoffs
                for coder in ("twoloop", "fast")
            ),
        ]
    return [
        *(
            Candidate(f"complexity {effort}, {vbr}", {"compression_level": effort, "vbr": mode})
            for mode, vbr in (("on", "free"), ("constrained", "constrained"))
            for effort in (10, 7, 6, 5, 2)
        ),
        Candidate("voip", {"compression_level": 10, "vbr": "constrained", "application": "voip"}),
        Candidate(
            "cutoff 12000", {"compression_level": 10, "vbr": "constrained", "cutoff": 12_000}
        ),
    ]


class Comparison:
    """Encodes, decodes and judges; *folder* is for what encoders read."""

    def __init__(self, folder: Path, ffmpeg_path: str) -> None:
        # Imported here: the bench of the packager needs this module without it.
        from visqol import VisqolApi

        self._folder = folder
        self._ffmpeg = ffmpeg_path
        self._visqol = VisqolApi()
        self._visqol.create(mode="audio")

    def quality(self, original: Sound, decoded: Sound) -> float:
        """MOS-LQO of *decoded* against *original*."""
        # ViSQOL wants silence around what it compares.
        silence = np.zeros(SAMPLE_RATE_HZ // 2)
        first, second = (np.concatenate([silence, each, silence]) for each in (original, decoded))
        return float(self._visqol.measure_from_arrays(first, second, SAMPLE_RATE_HZ).moslqo)

    def encode(self, name: str, sound: Sound, rung: Rung, candidate: Candidate) -> Encoded:
        """Encode *sound* as the packager would, with the candidate's options."""
        path = self._folder / f"{name}.f32"
        if not path.exists():
            sound.astype("<f4").tofile(path)
        length = padded_samples(len(sound))
        command = encode_command(
            Prepared(path, len(sound), 0.0),
            rung,
            length,
            self._ffmpeg,
            instead=candidate.options,
        )
        runs = [_run(command) for _ in range(_ROUNDS)]
        encoded = runs[0][0]
        reader = PacketReader(rung.name)
        size = sum(sum(packets.sizes) for packets in reader.feed(encoded))
        seconds = length / SAMPLE_RATE_HZ
        decode = [self._ffmpeg, "-v", "error", "-i", "-", "-f", "f32le", "-"]
        decoded = subprocess.run(decode, input=encoded, check=True, capture_output=True).stdout
        cpu_s = statistics.median(cost for _, cost in runs)
        return Encoded(
            np.frombuffer(decoded, "<f4")[: len(sound)], 8 * size / seconds, cpu_s * 3600 / seconds
        )


def _run(command: Sequence[str]) -> tuple[bytes, float]:
    """Output of *command*, and the processor time that it took."""
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return output, usage.ru_utime + usage.ru_stime


def compare_faster() -> None:
    """Print, for each rung of the ladder, the chosen options beside faster ones."""
    try:
        import visqol  # noqa: F401  # only whether it is there
    except ImportError:
        print("what faster options give: install visqol-python to see it, or docs/encoders.md")
        return
    ffmpeg_path = find_tools(PackagerSection()).ffmpeg
    try:
        every = quality_clips(ffmpeg_path)
        clips = {name: every[name] for name in ("read speech", "film, loud")}
    except MissingMaterialError as error:
        print(f"judged by the synthetic voice alone: {error}")
        clips = {"synthetic voice": synthetic_voice()[: 8 * SAMPLE_RATE_HZ]}
    with tempfile.TemporaryDirectory(prefix="tell-bench-") as folder:
        comparison = Comparison(Path(folder), ffmpeg_path)
        for rung in parse_ladder(DEFAULT_LADDER):
            tried = [CHOSEN, FASTER[rung.codec]]
            _compare(comparison, rung, clips, breathy_voice(_BREATHY_S), tried)


def main() -> None:
    """Print a table for each rung."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rung", nargs="*", default=list(DEFAULT_LADDER))
    options = parser.parse_args()
    ffmpeg_path = find_tools(PackagerSection()).ffmpeg
    clips = quality_clips(ffmpeg_path)
    breathy = breathy_voice(_BREATHY_S)
    with tempfile.TemporaryDirectory(prefix="tell-bench-") as folder:
        comparison = Comparison(Path(folder), ffmpeg_path)
        for rung in parse_ladder(options.rung):
            _compare(comparison, rung, clips, breathy, [CHOSEN, *candidates(rung)])


def _compare(
    comparison: Comparison,
    rung: Rung,
    clips: Mapping[str, Sound],
    breathy: Sound,
    tried: Sequence[Candidate],
) -> None:
    names = list(clips)
    print(f"\n{rung.name}: MOS-LQO by ViSQOL (audio), kbit/s, seconds of CPU for an hour of sound")
    print(f"| options | {' | '.join(names)} | mean | kbit/s | most | breathy | CPU s/h |")
    print(f"|---|{'---|' * (len(names) + 5)}")
    for candidate in tried:
        made = {
            name: comparison.encode(name, clip, rung, candidate) for name, clip in clips.items()
        }
        scores = [comparison.quality(clips[name], made[name].sound) for name in names]
        rates = [each.rate_bps / 1000 for each in made.values()]
        hard = comparison.encode("breathy", breathy, rung, candidate).rate_bps / 1000
        cost = statistics.mean(each.cpu_s_per_hour for each in made.values())
        print(
            f"| {candidate.name} | {' | '.join(f'{score:.2f}' for score in scores)}"
            f" | {statistics.mean(scores):.3f} | {statistics.mean(rates):.1f}"
            f" | {max(rates):.1f} | {hard:.1f} | {cost:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
