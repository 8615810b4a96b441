"""Which metrics and labels a PromQL expression names: enough of its grammar for ours."""

from __future__ import annotations

import re
from dataclasses import dataclass

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_MATCHERS = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"\[[^\]]*\]")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^()]*)\)")
_NUMBER = re.compile(r"(?<![\w:])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\w*")
_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "group_left", "group_right"})


@dataclass(frozen=True)
class Named:
    """What an expression names."""

    metrics: frozenset[str]
    labels: frozenset[str]


def named(expression: str) -> Named:
    """Names of *expression*; a function is known by the bracket after it."""
    text = _STRING.sub('""', expression)
    labels = set()
    for matchers in _MATCHERS.findall(text):
        labels |= set(_NAME.findall(matchers))
    text = _RANGE.sub("", _MATCHERS.sub(" ", text))
    for group in _GROUPING.findall(text):
        labels |= set(_NAME.findall(group))
    text = _NUMBER.sub(" ", _GROUPING.sub(" ", text))
    metrics = {
        match.group()
        for match in _NAME.finditer(text)
        if match.group() not in _WORDS and not text[match.end() :].lstrip().startswith("(")
    }
    # An aggregation whose grouping stood before its brackets: sum by (le) (...).
    return Named(frozenset(metrics), frozenset(labels))
