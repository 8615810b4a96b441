"""The runner of all benches: what it keeps, what it says, and what counts as missed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import __main__ as runner
from bench.figures import VARIABLE, Bar, Chart, hand_over, handed_over
from bench.picture import Measurements

OURS = Bar(name="Tell", value=2.5, at_least=3)
PEER = Bar(name="nginx", value=4000, peer=True)
CHART = Chart(title="Segments", command="make bench-ranges", bars=[OURS, PEER])


@pytest.mark.parametrize(
    ("value", "at_least", "at_most", "missed"),
    [(3, 3, None, False), (2.9, 3, None, True), (3, None, 3, False), (3.1, None, 3, True)],
)
def test_a_figure_is_missed_beyond_what_is_wanted(
    value: float, at_least: float | None, at_most: float | None, missed: bool
) -> None:
    """Exactly what is wanted is enough; and the bench's exit code says the same."""
    bar = Bar(name="Tell", value=value, at_least=at_least, at_most=at_most)
    assert bar.missed is missed
    assert hand_over(Chart(title="t", command="c", bars=[bar])) == int(missed)


def test_what_a_bench_hands_over_comes_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runner reads the very figures; one that broke off before has none."""
    path = tmp_path / "figures.json"
    assert handed_over(path) == []
    monkeypatch.setenv(VARIABLE, str(path))
    hand_over(CHART)
    assert handed_over(path) == [CHART]


def test_a_bench_that_fails_does_not_end_the_others() -> None:
    """Its line says so beside their figures, and the whole has missed."""
    gone = runner.run(runner.Bench("gone", "bench.no_such_bench"), trial=False)
    assert gone.code != 0
    well = runner.Outcome(runner.BENCHES[0], 1, [CHART])
    assert runner.table([gone, well]).splitlines()[2:] == [
        f"| gone | ended with exit code {gone.code} | | | MISSED |",
        "| Segments: Tell | 2.5 | nginx 4,000 | at least 3 | MISSED |",
    ]
    assert runner.missed([gone, well]) == ["gone", runner.BENCHES[0].name]


def test_what_was_not_measured_again_stays(tmp_path: Path) -> None:
    """New figures stand in the place of their command's old ones; the picture is drawn of them."""
    kept = Chart(title="Joins", command="make bench-joins", bars=[PEER])
    old = CHART.model_copy(update={"bars": [PEER, PEER]})
    before = Measurements(title="t", charts=[old, kept])
    path = tmp_path / "found.json"
    path.write_text(before.model_dump_json(), "utf-8")
    runner.write([runner.Outcome(runner.BENCHES[0], 0, [CHART])], path)
    assert Measurements.model_validate_json(path.read_bytes()).charts == [CHART, kept]
    assert "4,000" in path.with_suffix(".svg").read_text("utf-8")


def test_each_bench_can_be_run_and_chosen() -> None:
    """Each module is there under a name of its own; a wrong name is told the right ones."""
    assert len({bench.name for bench in runner.BENCHES}) == len(runner.BENCHES)
    for bench in runner.BENCHES:
        assert Path(f"{bench.module.replace('.', '/')}.py").exists()
    assert [bench.name for bench in runner.chosen("joins, slow")] == ["joins", "slow"]
    with pytest.raises(ValueError, match="there are ingest, "):
        runner.chosen("jions")
