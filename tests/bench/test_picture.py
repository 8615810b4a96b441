"""The picture of the measurements: as drawn as the numbers are, and as the page says them."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from bench.figures import Bar, Chart, shown
from bench.picture import DOCS, PICTURE, draw, read_measurements, told

SVG = "{http://www.w3.org/2000/svg}"
MEND = "write the new figure into docs/measurements.json too, and run `make picture`"


def test_the_picture_is_that_of_the_numbers() -> None:
    """Whoever changes the numbers draws it anew."""
    assert PICTURE.read_text("utf-8") == draw(read_measurements()), "run `make picture`"


@pytest.mark.parametrize("chart", read_measurements().drawn, ids=lambda chart: chart.command)
def test_each_number_stands_on_the_page(chart: Chart) -> None:
    """docs/measurements.md says it, under the command that gives it again."""
    page = (DOCS / "measurements.md").read_text("utf-8")
    assert f"`{chart.command}`" in page
    for bar in chart.bars:
        assert shown(bar.value) in page, f"{bar.name}: {MEND}"


def test_who_does_not_see_it_is_told() -> None:
    """Title and description are there and named; each bar has its name and number as text."""
    measurements = read_measurements()
    root = ElementTree.fromstring(draw(measurements))  # noqa: S314  (it is our own)
    assert root.get("role") == "img"
    ids = {each.get("id"): each.text for each in root if each.get("id")}
    assert [ids[name] for name in (root.get("aria-labelledby") or "").split()] == [
        measurements.title,
        told(measurements),
    ]
    texts = [each.text for each in root.iter(f"{SVG}text")]
    for chart in measurements.drawn:
        for bar in chart.bars:
            assert bar.name in texts
            assert shown(bar.value) in texts
            assert f"{bar.name} {shown(bar.value)}" in told(measurements)


def test_a_bar_is_as_long_as_its_number() -> None:
    """The longest of a chart fills it, the others by their share; a peer's looks another way."""
    measurements = read_measurements().model_copy(
        update={
            "charts": [
                Chart(
                    title="t",
                    command="c",
                    bars=[Bar(name="a & b", value=50), Bar(name="p", value=200, peer=True)],
                )
            ]
        }
    )
    root = ElementTree.fromstring(draw(measurements))  # noqa: S314  (it is our own)
    bars = [each for each in root.iter(f"{SVG}rect") if each.get("class") != "paper"]
    ours, peers = (float(each.get("width") or 0) for each in bars)
    assert ours == pytest.approx(peers / 4)
    assert [each.get("class") for each in bars] == ["tell", "peer"]
    # Nothing runs out of the picture.
    assert peers + float(bars[1].get("x") or 0) < float(root.get("width") or 0) - 60
