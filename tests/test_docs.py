"""docs/design.md has a paragraph for each file, and names none that is gone."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("gateway", "packager", "catalog", "media", "amc_clone", "demo", "deploy", "bench")
SUFFIXES = {".py", ".js", ".mjs", ".css", ".html", ".sh"}


def source_files() -> set[str]:
    """Every file of ours that holds code, from the root."""
    return {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in SUFFIXES
        and not {"built", "vendor", "__pycache__"} & set(path.parts)
        and not (path.name == "__init__.py" and len(path.read_text().splitlines()) <= 6)
    }


def test_the_design_page_describes_each_file() -> None:
    """A file without its paragraph, or a paragraph without its file, fails."""
    text = (ROOT / "docs/design.md").read_text(encoding="utf-8")
    described = re.findall(r"^- `([^`]+)`: .{20,}", text, flags=re.MULTILINE)
    assert sorted(described) == sorted(source_files())


def test_the_readme_names_only_what_exists() -> None:
    """Each make target and each path that the README names is there."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"(?:`|\$ )make ([a-z-]+)", readme)
    assert {"demo", "test"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), f"make {target}"
    for path in re.findall(r"`((?:docs|gateway|deploy)/[a-z./_-]*|config\.toml)`", readme):
        assert (ROOT / path).exists(), path


def test_each_threat_names_a_test_that_exists() -> None:
    """docs/security.md: who deletes or renames the test that holds a threat off, hears of it."""
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!threat)[^|]+\| [^|]+\| ([^|]+) \|$", page, flags=re.MULTILINE)
    threats = [row for row in rows if "tests/" in row]
    # The table of what is trusted has three columns too, and holds nothing off.
    assert len(threats) >= 30
    for row in threats:
        for path, name in re.findall(r"`(tests/[a-z_/0-9]+\.py)(?:::(test_[a-z0-9_]+))?`", row):
            text = (ROOT / path).read_text(encoding="utf-8")
            assert not name or f"def {name}(" in text, f"{path}::{name}"
    for heading, body in re.findall(r"^## (.+)\n((?:(?!## ).*\n?)*)", page, flags=re.MULTILINE):
        if "held by" in body:
            bare = [line for line in body.splitlines()[3:] if line and "`tests/" not in line]
            assert [line for line in bare if not line.startswith("|--")] == [], heading
