"""docs/packaging.md says all that an operator can write and be told, and nothing that is not so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main

from packager import errors
from packager.cli import app
from packager.commands.exits import Exit, exit_code
from packager.quality.settings import SeveritiesSection

MANUAL = (Path(__file__).parents[2] / "docs/packaging.md").read_text(encoding="utf-8")


def _section(title: str) -> str:
    return MANUAL.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_every_command_and_option_is_explained() -> None:
    """Each command has its row, and each option stands in the section of the commands."""
    section = _section("The commands")
    command = typer.main.get_command(app)
    commands = command.commands  # type: ignore[attr-defined]  # a group has them
    named = set(re.findall(r"^\| `([a-z]+)[ `]", section, flags=re.MULTILINE))
    assert named == set(commands)
    for each in commands.values():
        for parameter in each.params:
            if parameter.param_type_name == "option":
                assert any(f"`{name}" in section for name in parameter.opts), parameter.opts


def test_no_option_is_invented() -> None:
    """Every option that the manual names exists in some command."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group
    existing = {name for each in commands.values() for p in each.params for name in p.opts}
    assert set(re.findall(r"`(--[a-z-]+)", MANUAL)) <= existing


def test_every_exit_code_is_explained() -> None:
    """The table holds each code once, and no other."""
    told = [int(code) for code in re.findall(r"^\| (\d+) \|", _section("Exit codes"), re.MULTILINE)]
    assert told == [int(code) for code in Exit]


def test_every_finding_is_explained_with_its_severity() -> None:
    """The table holds each code with the severity that it has by default."""
    rows = re.findall(
        r"^\| `([a-z-]+)` \| ([a-z]+) \|", _section("Findings of the quality check"), re.MULTILINE
    )
    defaults = SeveritiesSection().model_dump()
    assert dict(rows) == {name.replace("_", "-"): weight for name, weight in defaults.items()}
    assert len(rows) == len(defaults)


def _error_classes() -> list[type[errors.PackagerError]]:
    return [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, errors.PackagerError)
    ]


@pytest.mark.parametrize("kind", _error_classes())
def test_every_error_code_is_explained_with_its_exit_code(
    kind: type[errors.PackagerError],
) -> None:
    """The table holds the code, and the exit code that the program ends with."""
    assert _rows()[kind.code] == int(exit_code(kind.__new__(kind)))


def test_errors_from_below_are_explained_too() -> None:
    """What the settings and the storage raise has its rows, and no row is invented."""
    below = {
        "settings": Exit.USAGE,
        "invalid-id": Exit.USAGE,
        "track-format": Exit.CHECK,
        "storage-error": Exit.STORAGE,
    }
    rows = _rows()
    assert {code: rows[code] for code in below} == {code: int(e) for code, e in below.items()}
    assert set(rows) - set(below) == {each.code for each in _error_classes()}


def _rows() -> dict[str, int]:
    found = re.findall(r"^\| `([a-z0-9-]+)` \| (\d) \|", _section("Error codes"), re.MULTILINE)
    return {code: int(exit_code) for code, exit_code in found}
