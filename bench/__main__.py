"""`make bench`: runs every bench in turn, to the end, and writes what they found.

    python -m bench [--quick] [--only joins,ranges] [--write FILE]

Each prints its own table. One that misses a figure, or fails, does not end the others. At the end
docs/measurements.json and its picture are written anew (with `--write` another file, and the
picture beside it), one table shows all figures with their peers and what is wanted, and the exit
code is 1 where something was missed. `--quick` is a trial of the benches themselves: its figures
mean nothing, and go nowhere without `--write`. Sync, which needs a quiet machine for an hour, has
its own (`make bench-sync`).
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.figures import VARIABLE, Chart, handed_over, shown
from bench.picture import NUMBERS, Measurements, draw, read_measurements, write_measurements


@dataclass(frozen=True, slots=True)
class Bench:
    """A module of this package, and what it is given, as a rule and for a trial."""

    name: str
    module: str
    options: tuple[str, ...] = ()
    trial: tuple[str, ...] = ("--quick",)


# ViSQOL needs a C++ compiler to be installed: without it, its measure is left out.
_QUALITY = () if importlib.util.find_spec("visqol") is not None else ("--no-quality",)

BENCHES = (
    Bench("ingest", "bench.ingest"),
    Bench("events", "bench.events"),
    Bench("start", "bench.start"),
    Bench("ranges", "bench.ranges"),
    Bench("nginx", "bench.behind_nginx"),
    Bench("workers", "bench.workers"),
    Bench("modes", "bench.modes"),
    Bench("joins", "bench.joins"),
    Bench("refusals", "bench.refusals"),
    Bench("enemies", "bench.enemies", (), ("--seconds", "1")),
    Bench("listeners", "bench.listeners", (), ("--listeners", "50", "--seconds", "6")),
    Bench(
        "listeners-10000",
        "bench.listeners",
        ("--listeners", "10000"),
        ("--listeners", "100", "--seconds", "6"),
    ),
    Bench("slow", "bench.listeners", ("--slow", "2000"), ("--slow", "50", "--seconds", "6")),
    Bench("database-size", "bench.database_size", (), ("--tickets", "1000")),
    Bench("first-load", "bench.first_load", ("--rounds", "7"), ("--rounds", "1")),
    Bench("crash", "bench.crash", (), ("--rounds", "1")),
    Bench(
        "packager",
        "bench.packaging",
        _QUALITY,
        ("--minutes", "1", "--rounds", "1", "--no-quality"),
    ),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a bench that has ended found."""

    bench: Bench
    code: int
    charts: Sequence[Chart]

    @property
    def trouble(self) -> str | None:
        """Why it counts as missed beside its figures; None where that is all."""
        missed = any(bar.missed for chart in self.charts for bar in chart.bars)
        return f"ended with exit code {self.code}" if self.code and not missed else None


def run(bench: Bench, *, trial: bool) -> Outcome:
    """Run it in a process of its own, which prints its table here."""
    command = [sys.executable, "-m", bench.module, *(bench.trial if trial else bench.options)]
    print(f"\n== {bench.name}: {' '.join(['python', *command[1:]])}", flush=True)
    with tempfile.TemporaryDirectory(prefix="tell-bench-") as folder:
        figures = Path(folder) / "figures.json"
        done = subprocess.run(command, env={**os.environ, VARIABLE: str(figures)}, check=False)
        return Outcome(bench, done.returncode, handed_over(figures))


def table(outcomes: Sequence[Outcome]) -> str:
    """All figures of Tell, each with its peers and what is wanted, as Markdown."""
    lines = ["| figure | found | peer | wanted | |", "|---|---|---|---|---|"]
    for outcome in outcomes:
        for chart in outcome.charts:
            peers = ", ".join(f"{bar.name} {shown(bar.value)}" for bar in chart.bars if bar.peer)
            lines += [
                f"| {chart.title}: {bar.name} | {shown(bar.value)} | {peers} | {bar.wanted} "
                f"| {'MISSED' if bar.missed else ''} |"
                for bar in chart.bars
                if not bar.peer
            ]
        if not outcome.code and not outcome.charts:
            lines.append(f"| {outcome.bench.name} | as wanted, by its own table | | | |")
        if outcome.trouble is not None:
            lines.append(f"| {outcome.bench.name} | {outcome.trouble} | | | MISSED |")
    return "\n".join(lines)


def missed(outcomes: Sequence[Outcome]) -> list[str]:
    """Names of the benches in which something was."""
    return [outcome.bench.name for outcome in outcomes if outcome.code]


def chosen(only: str | None) -> Sequence[Bench]:
    """Return the benches of these names, all without; raises ValueError for a name of none."""
    if only is None:
        return BENCHES
    known = {bench.name: bench for bench in BENCHES}
    names = [name.strip() for name in only.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"no bench {', '.join(unknown)}: there are {', '.join(known)}")
    return [known[name] for name in names]


def write(outcomes: Sequence[Outcome], path: Path) -> None:
    """Put what was found in the place of what *path* said before, and draw it beside that."""
    before = read_measurements(path if path.exists() else NUMBERS)
    found = [chart for outcome in outcomes for chart in outcome.charts]
    measurements: Measurements = before.renewed(found)
    write_measurements(measurements, path)
    path.with_suffix(".svg").write_text(draw(measurements), "utf-8")


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="try the benches, not Tell")
    parser.add_argument("--only", help="names of benches, with commas between them")
    parser.add_argument("--write", type=Path, help=f"not to docs/{NUMBERS.name}")
    options = parser.parse_args()
    try:
        picked = chosen(options.only)
    except ValueError as error:
        parser.error(str(error))
    outcomes = [run(bench, trial=options.quick) for bench in picked]
    path = options.write or (None if options.quick else NUMBERS)
    if path is not None:
        write(outcomes, path)
        print(f"\n{path} and its picture are written.")
    print(f"\n{table(outcomes)}\n")
    if names := missed(outcomes):
        print(f"missed: {', '.join(names)}")
        return 1
    print("nothing was missed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
