"""Strict reading of a playlist's lines and attribute lists (RFC 8216bis 4.1, 4.2).

Parsers of players forgive much, each something else. Here every line keeps its number, and what is
not of the grammar is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

# AttributeName: A-Z, 0-9 and "-" (4.2). A value is a quoted-string without quotes and line ends, or
# an unquoted one without quotes, commas and white space.
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(,|$)')
_TAG = re.compile(r"#(EXT[^:\s]*)(:(.*))?")


class Line(NamedTuple):
    """A line and its number, which counts from 1."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Tag:
    """A line that begins with #EXT: its name without the `#`, and what follows the colon."""

    name: str
    value: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Attributes:
    """An attribute list. `raw` keeps the quotes; `faults` says what is not of the grammar."""

    raw: dict[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    def get(self, name: str) -> str | None:
        """Value without its quotes, None where there is none."""
        value = self.raw.get(name)
        return None if value is None else value.removeprefix('"').removesuffix('"')


def split_lines(text: str) -> tuple[Line, ...]:
    """Lines of *text*, which end in LF or CR LF (4.1)."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return tuple(Line(number, line.removesuffix("\r")) for number, line in enumerate(lines, 1))


def tags(lines: tuple[Line, ...]) -> Iterator[Tag]:
    """Every tag, known or not; a line that begins with # alone is a comment (4.1)."""
    for line in lines:
        match = _TAG.fullmatch(line.text)
        if match is not None:
            yield Tag(match[1], match[3], line.number)


def read_attributes(value: str | None) -> Attributes:
    """Attribute list of a tag; reads on after a fault as far as it can."""
    raw: dict[str, str] = {}
    faults: list[str] = []
    at, text = 0, value or ""
    while at < len(text):
        match = _ATTRIBUTE.match(text, at)
        if match is None:
            faults.append(f"{text[at : at + 40]!r} is no attribute")
            at = _next_attribute(text, at)
            continue
        name, found, separator = match.groups()
        if name in raw:
            faults.append(f"{name} stands twice")
        raw.setdefault(name, found)
        at = match.end()
        if separator and at == len(text):
            faults.append("the list ends in a comma")
    if not text:
        faults.append("the attribute list is empty")
    return Attributes(raw, tuple(faults))


def _next_attribute(text: str, at: int) -> int:
    comma = text.find(",", at)
    return len(text) if comma < 0 else comma + 1
