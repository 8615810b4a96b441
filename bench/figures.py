"""What a bench has found: numbers beside their peers, with what is wanted of them.

Each bench prints its own table and hands these over. Run by itself it is done then; run by
`make bench` (bench/__main__.py), they become docs/measurements.json and the closing table.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

# Where the runner wants them; not TELL_…, which Tell would take for a setting of its own.
VARIABLE = "BENCH_FIGURES"


class Bar(BaseModel):
    """One number; a peer's, or what is wanted, is not Tell's own.

    `at_least` and `at_most` are what is wanted of it, None where nothing is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    value: Annotated[float, Field(ge=0)]
    peer: bool = False
    at_least: float | None = None
    at_most: float | None = None

    @property
    def missed(self) -> bool:
        """Whether it is not what is wanted."""
        too_little = self.at_least is not None and self.value < self.at_least
        return too_little or (self.at_most is not None and self.value > self.at_most)

    @property
    def wanted(self) -> str:
        """What is wanted, in words; empty where nothing is."""
        if self.at_least is not None:
            return f"at least {shown(self.at_least)}"
        return "" if self.at_most is None else f"at most {shown(self.at_most)}"


class Chart(BaseModel):
    """Numbers of one kind, and the command by which they can be had again.

    Those that are not `drawn` stand in the closing table alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    command: str
    bars: Annotated[list[Bar], Field(min_length=1)]
    drawn: bool = True


_CHARTS = TypeAdapter(list[Chart])


def shown(value: float) -> str:
    """A number as the page writes it."""
    return f"{value:,.0f}" if value >= 10 else f"{value:g}"


def hand_over(*charts: Chart) -> int:
    """Give *charts* to the runner, if there is one; 1 where a figure is missed, else 0."""
    path = os.environ.get(VARIABLE)
    if path is not None:
        Path(path).write_bytes(_CHARTS.dump_json(list(charts), indent=1, exclude_defaults=True))
    return 1 if any(bar.missed for chart in charts for bar in chart.bars) else 0


def handed_over(path: Path) -> list[Chart]:
    """What a bench has given; nothing where it did not come so far."""
    return _CHARTS.validate_json(path.read_bytes()) if path.exists() else []


def quick() -> bool:
    """Whether the command line asks for a trial of some seconds, whose figures say nothing."""
    return "--quick" in sys.argv[1:]


def rounded(value: float) -> float:
    """Whole from ten on, and else three figures: what is said of it anywhere."""
    return round(value) if value >= 10 else float(f"{value:.3g}")
