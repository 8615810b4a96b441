"""All rules of the linter, from the outside in: text, structure, sound, and how it is served."""

from __future__ import annotations

from packager.lint.registry import Rule
from packager.lint.rules import (
    addressing,
    delivery,
    description,
    files,
    groups,
    rates,
    syntax,
    tags,
    timing,
    variants,
)

RULES: tuple[Rule, ...] = (
    *syntax.FAMILY.rules,
    *tags.FAMILY.rules,
    *variants.FAMILY.rules,
    *groups.FAMILY.rules,
    *description.FAMILY.rules,
    *rates.FAMILY.rules,
    *timing.FAMILY.rules,
    *addressing.FAMILY.rules,
    *files.FAMILY.rules,
    *delivery.FAMILY.rules,
)
