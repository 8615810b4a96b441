"""Reads deploy/container/Containerfile: its stages, and what each does, line by line."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONTAINER = ROOT / "deploy" / "container"


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction, continued lines joined."""

    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """Its words: of a JSON array its texts, else as a shell has them."""
        return json.loads(self.text) if self.text.startswith("[") else shlex.split(self.text)

    @property
    def copied_from(self) -> str | None:
        """The stage that a COPY takes from, None for the folder that is built from."""
        found = re.match(r"--from=(\S+)", self.text)
        return found[1] if found else None

    @property
    def sources(self) -> list[str]:
        """What a COPY takes."""
        return [word for word in self.words if not word.startswith("--")][:-1]


@dataclass(slots=True)
class Stage:
    """A stage: what it begins with, an image or another stage, and its steps."""

    name: str
    base: str
    steps: list[Step] = field(default_factory=list)

    def all(self, name: str) -> list[Step]:
        """The steps of that instruction."""
        return [step for step in self.steps if step.name == name]


def stages() -> dict[str, Stage]:
    """All stages, in their order."""
    text = (CONTAINER / "Containerfile").read_text("utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    found: dict[str, Stage] = {}
    for line in joined.splitlines():
        name, _, rest = line.partition(" ")
        if name == "FROM":
            base, word, stage = rest.split()
            assert word == "AS"
            found[stage] = Stage(stage, base)
        else:
            found[list(found)[-1]].steps.append(Step(name, rest.strip()))
    return found


def last(name: str, stage: str) -> str | None:
    """What counts of an instruction in a stage: the last one, its bases' where it has none."""
    all_stages = stages()
    current: Stage | None = all_stages[stage]
    while current is not None:
        if steps := current.all(name):
            return steps[-1].text
        current = all_stages.get(current.base)
    return None
