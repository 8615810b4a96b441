"""docs/lint.md lists the rules as they are."""

from __future__ import annotations

import re
from pathlib import Path

from packager.lint.rules import RULES

PAGE = Path(__file__).parents[3] / "docs/lint.md"


def test_the_page_lists_every_rule_as_it_is() -> None:
    """Id, severity, what it asks, mend and source, in the rules' order, and none that is gone."""
    text = PAGE.read_text(encoding="utf-8")
    rows = [re.split(r"(?<!\\) \| ", line[2:-2]) for line in text.splitlines() if line[:3] == "| `"]
    assert [[cell.replace("\\|", "|") for cell in row] for row in rows] == [
        [f"`{rule.id}`", rule.severity, rule.summary, rule.mend, rule.source] for rule in RULES
    ]


def test_the_page_has_a_chapter_for_each_family() -> None:
    """In the order in which the rules are looked at."""
    chapters = re.findall(r"^## (.*)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    families = dict.fromkeys(rule.family for rule in RULES)
    assert [chapter.lower() for chapter in chapters] == list(families)
