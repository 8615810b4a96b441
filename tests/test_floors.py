"""The floors of docs/design.md: a package imports only from floors below it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("gateway", "packager", "catalog", "media", "amc_clone", "demo")
MAY_IMPORT: dict[str, set[str]] = {
    "media": set(),
    "catalog": set(),
    "packager": {"media"},
    "gateway": {"media", "catalog"},
    "amc_clone": set(),
}
# Where a library may be imported, for those that would carry the edge into the core.
ONLY_IN: dict[str, dict[str, set[str]]] = {
    "media": {"aiohttp": set()},
    "packager": {"aiohttp": {"lint/fetch.py"}},
    "catalog": {"aiohttp": {"partner/client.py"}},
}


def imported(path: Path) -> set[str]:
    """Top-level names that a file imports, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports from the package's root"
            names.add((node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_from_floors_below(package: str) -> None:
    """No file of a package imports a sibling that stands beside or above it."""
    files = sorted((ROOT / package).rglob("*.py"))
    assert files, f"{package} has no files"
    forbidden = set(PACKAGES) | {"tests", "bench"}
    forbidden -= MAY_IMPORT[package] | {package}
    for path in files:
        assert not imported(path) & forbidden, f"{path.relative_to(ROOT)} reaches up"


@pytest.mark.parametrize("package", ONLY_IN)
def test_a_library_of_the_edge_stays_at_the_edge(package: str) -> None:
    """The HTTP library is imported only where the design allows it."""
    for path in sorted((ROOT / package).rglob("*.py")):
        for library, allowed in ONLY_IN[package].items():
            if library in imported(path):
                name = path.relative_to(ROOT / package).as_posix()
                assert name in allowed, f"{path.relative_to(ROOT)} imports {library}"


def test_domain_code_never_reads_a_clock() -> None:
    """Time is an argument: only entry points and compositions name the real clock."""
    readers = ("datetime.now(", "time.time(", "utcnow(", "time_ns(")
    # The entry points: a command line names the real clock and hands it down.
    allowed = {"gateway/cli.py", "amc_clone/cli.py", "packager/cli.py"}
    for package in MAY_IMPORT:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            text = path.read_text(encoding="utf-8")
            if name not in allowed:
                assert not any(reader in text for reader in readers), f"{name} reads a clock"
