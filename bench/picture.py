"""`make picture`: docs/measurements.json as bars, docs/measurements.svg. `make bench` writes both.

The numbers are those of docs/measurements.md, which a test holds beside them. Nothing is told by
colour alone: each bar has its name and its number, and a peer's is only an outline.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from bench.figures import Chart, shown

DOCS = Path(__file__).parent.parent / "docs"
NUMBERS, PICTURE = DOCS / "measurements.json", DOCS / "measurements.svg"

# All in the units of the picture, which are pixels where it is shown as large as it is.
_WIDTH = 720
_NAMES = 190
_LONGEST = 420
_BAR, _STEP, _HEAD, _GAP = 16, 24, 28, 24
_STYLE = """
.paper { fill: #fff; }
text { font: 13px system-ui, sans-serif; fill: #1b1b1b; }
.title { font-size: 17px; font-weight: 600; }
.chart { font-weight: 600; }
.said { fill: #555; }
.tell { fill: #1f5fa8; stroke: #1f5fa8; }
.peer { fill: none; stroke: #555; }
@media (prefers-color-scheme: dark) {
  .paper { fill: #111; }
  text { fill: #eee; }
  .said { fill: #b5b5b5; }
  .tell { fill: #7db4f0; stroke: #7db4f0; }
  .peer { stroke: #b5b5b5; }
}
"""


class Measurements(BaseModel):
    """All that is drawn."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    charts: list[Chart]

    @property
    def drawn(self) -> list[Chart]:
        """Those of the picture."""
        return [chart for chart in self.charts if chart.drawn]

    def renewed(self, found: Sequence[Chart]) -> Measurements:
        """The same with *found* in the place of what its commands gave before."""
        commands = {chart.command for chart in found}
        charts: list[Chart] = []
        for command in dict.fromkeys(chart.command for chart in (*self.charts, *found)):
            source = found if command in commands else self.charts
            charts += [chart for chart in source if chart.command == command]
        return Measurements(title=self.title, charts=charts)


def write_measurements(measurements: Measurements, path: Path) -> None:
    """Write the numbers, each on a line of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = measurements.model_dump_json(indent=1, exclude_defaults=True)
    path.write_text(text + "\n", "utf-8")


def read_measurements(path: Path = NUMBERS) -> Measurements:
    """Read and check the numbers; raises pydantic.ValidationError."""
    return Measurements.model_validate_json(path.read_bytes())


def told(measurements: Measurements) -> str:
    """What the picture shows, in words."""
    return " ".join(
        f"{chart.title}: " + ", ".join(f"{bar.name} {shown(bar.value)}" for bar in chart.bars) + "."
        for chart in measurements.drawn
    )


def draw(measurements: Measurements) -> str:
    """The picture; its title and description are what a screen reader says (SVG 2, 5.7)."""
    y = 54
    body: list[str] = []
    for chart in measurements.drawn:
        body.append(_text(24, y, chart.title, "chart"))
        body.append(_text(24, y + 17, chart.command, "said"))
        y += _HEAD
        most = max(bar.value for bar in chart.bars) or 1.0
        for bar in chart.bars:
            width = max(1.0, _LONGEST * bar.value / most)
            kind = "peer" if bar.peer else "tell"
            body.append(_text(24, y + 13, bar.name))
            body.append(
                f'<rect class="{kind}" x="{_NAMES + 24}" y="{y}" width="{width:.1f}" '
                f'height="{_BAR}" stroke-width="1.5"/>'
            )
            body.append(_text(_NAMES + 32 + width, y + 13, shown(bar.value)))
            y += _STEP
        y += _GAP
    title, description = escape(measurements.title), escape(told(measurements))
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" '
            f'width="{_WIDTH}" height="{y}" role="img" aria-labelledby="title told">',
            f'<title id="title">{title}</title>',
            f'<desc id="told">{description}</desc>',
            f"<style>{_STYLE}</style>",
            f'<rect class="paper" width="{_WIDTH}" height="{y}"/>',
            _text(24, 30, measurements.title, "title"),
            *body,
            "</svg>\n",
        )
    )


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}"{named}>{escape(text)}</text>'


def main() -> int:
    """Write the picture."""
    PICTURE.write_text(draw(read_measurements()), "utf-8")
    print(f"{PICTURE.name} is drawn.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
