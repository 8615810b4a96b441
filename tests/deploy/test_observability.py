"""The dashboard and the alert rules name what a running gateway tells, and what helps is there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml  # type: ignore[import-untyped]  # ships no types
from prometheus_client.parser import text_string_to_metric_families

from gateway.metrics import Metrics
from tests.deploy.promql import Named, named
from tests.gateway.processes import TellProcess, write_config
from tests.gateway.town import town_settings

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
DASHBOARD = ROOT / "deploy/grafana/tell.json"
RUNBOOK = ROOT / "docs/runbook.md"
OPERATIONS = ROOT / "docs/operations.md"
# What Prometheus adds to each sample, and its own metric.
PROMETHEUS = {"job", "instance"}
OWN = {"up"}
# Told where several processes are one gateway, which the one here is not (tests/gateway/workers).
TEAM = {"tell_workers_running", "tell_workers_wanted"}
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def rules() -> list[dict[str, Any]]:
    """Every alert rule."""
    loaded = yaml.safe_load(ALERTS.read_text("utf-8"))
    return [rule for group in loaded["groups"] for rule in group["rules"]]


def targets() -> Iterator[tuple[str, str]]:
    """Each panel's title with one of its expressions."""
    for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def expressions() -> list[tuple[str, Named]]:
    """What every rule and every panel names."""
    of_rules = [(rule["alert"], named(rule["expr"])) for rule in rules()]
    return of_rules + [(title, named(expression)) for title, expression in targets()]


@pytest.fixture
async def told(tmp_path: Path) -> set[str]:
    """The names of all samples that a real gateway, which has just started, can have."""
    settings = town_settings(tmp_path, tmp_path / "media", "http://127.0.0.1:9")
    tell = await TellProcess.start(write_config(tmp_path / "config.toml", settings))
    async with aiohttp.ClientSession() as session, session.get(f"{tell.url}/metrics") as answer:
        text = await answer.text()
    await tell.stop()
    return {
        family.name + suffix
        for family in text_string_to_metric_families(text)
        for suffix in SUFFIXES.get(family.type, ("",))
    }


async def test_every_metric_that_is_looked_at_is_told(told: set[str]) -> None:
    """By a gateway as it runs; and what is told of Tell, somebody can read about."""
    for where, its in expressions():
        assert its.metrics, where
        assert its.metrics <= told | OWN | TEAM, where
    page = OPERATIONS.read_text("utf-8")
    for name in told:
        if name.startswith("tell_") and not name.endswith(("_created", "_sum", "_count")):
            assert f"`{name.removesuffix('_bucket')}`" in page, name


def test_every_label_that_is_looked_at_is_one_of_the_metric_s() -> None:
    """A label that is spelt otherwise matches nothing, and an alert would never come."""
    metrics = Metrics()
    labels = {family.name: set(family._labelnames) for family in metrics.evening.collect()}
    for metric in vars(metrics).values():
        if (own := getattr(metric, "_labelnames", None)) is not None:
            for suffix in SUFFIXES[metric._type]:
                more = {"le"} if suffix == "_bucket" else set()
                labels[f"{metric._name}{suffix}"] = set(own) | more
    for where, its in expressions():
        known = set().union(*(labels.get(name, set()) for name in its.metrics))
        assert its.labels <= known | PROMETHEUS, where


def test_every_alert_says_what_to_do() -> None:
    """Its section of the runbook is there, it has a summary, and it is for now or by day."""
    headings = re.findall(r"^##+ (.+)$", RUNBOOK.read_text("utf-8"), flags=re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert len({rule["alert"] for rule in rules()}) == len(rules()) > 15
    for rule in rules():
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert (ROOT / page) == RUNBOOK, rule["alert"]
        assert anchor in anchors, rule["alert"]
        assert rule["annotations"]["summary"].endswith((".", "it.")), rule["alert"]
        assert rule["labels"]["severity"] in {"page", "ticket"}, rule["alert"]


def test_the_runbook_s_own_links_lead_somewhere() -> None:
    """Sections of its own, and pages beside it; so do those of the operations page."""
    for page in (RUNBOOK, OPERATIONS):
        text = page.read_text("utf-8")
        headings = re.findall(r"^##+ (.+)$", text, flags=re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
        for link in re.findall(r"\]\(([^)]+)\)", text):
            beside, _, anchor = link.partition("#")
            assert not beside or (page.parent / beside).exists(), link
            assert beside or anchor in anchors, link


def test_no_panel_lies_on_another() -> None:
    """Each has its place, and an id of its own."""
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize(
    ("expression", "metrics", "labels"),
    [
        ("up", {"up"}, set()),
        ('sum by (le) (rate(a_b{c="d{e}",f=~"g|h"}[5m])) > 2e9', {"a_b"}, {"le", "c", "f"}),
        ("min(a) - time() < 4 * 3600 and on (x) b offset 5m", {"a", "b"}, {"x"}),
        ("max_over_time(a[1d]) or vector(0)", {"a"}, set()),
        ("histogram_quantile(0.99, sum without (i) (rate(h_bucket[$__rate_interval])))",
         {"h_bucket"}, {"i"}),
    ],
)  # fmt: skip
def test_expressions_are_read_rightly(expression: str, metrics: set[str], labels: set[str]) -> None:
    """Names alone: no function, string, number or word of the language."""
    assert named(expression) == Named(frozenset(metrics), frozenset(labels))
