"""The app's scripts as they are sent."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.pages import WebApp
from gateway.scripts import imported, trimmed
from tests.web.test_modules import node

WEB = Path(__file__).parents[2] / "gateway/web"
SCRIPTS = sorted(
    name
    for path in WEB.rglob("*.js")
    if not (name := path.relative_to(WEB).as_posix()).startswith("built/")
)


def test_comments_and_indentation_go_and_lines_stay() -> None:
    """What shares its line with code is left: it may stand within a string."""
    source = b"""/** What
 * it is. */
import { a } from "./a.js"; // why
  // gone
  /* gone too */
/** @type {A} */ let d;
    const b = /** @type {any} */ (a); /* stays */
const c = "// no comment";
"""
    assert trimmed(source) == (
        b'\n\nimport { a } from "./a.js"; // why\n\n\n/** @type {A} */ let d;\n'
        b"const b = /** @type {any} */ (a); /* stays */\n"
        b'const c = "// no comment";\n'
    )


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_text_of_ours_goes_over_several_lines(name: str) -> None:
    """In a template literal the indentation, and a line that looks like a comment, are text."""
    for line in trimmed((WEB / name).read_bytes()).decode().splitlines():
        assert len(re.findall(r"(?<!\\)`", line)) % 2 == 0, line


_READ = """
import { readFileSync } from "node:fs";
import { SourceTextModule } from "node:vm";
for (const path of process.argv.slice(1)) {
  new SourceTextModule(readFileSync(path, "utf8"), { identifier: path });
}
"""


def test_what_is_sent_is_a_script_still(tmp_path: Path) -> None:
    """Node reads each of them as a module."""
    for name in SCRIPTS:
        sent = tmp_path / name.replace("/", "-")
        sent.write_bytes(trimmed((WEB / name).read_bytes()))
    options = ["--experimental-vm-modules", "--no-warnings", "--input-type=module", "-e", _READ]
    done = subprocess.run(
        [node(), *options, *tmp_path.iterdir()], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_imports_are_followed_to_their_end() -> None:
    """Each module once; dynamic imports and what is not ours are not fetched beforehand."""
    sources = {
        "js/app.js": b'import { a,\nb } from "./a.js";\nconst x = import("../vendor/x.mjs");\n',
        "js/a.js": b'import * as c from "./deep/c.js";\nimport "./gone.js";\n',
        "js/deep/c.js": b'import a from "../a.js";\nexport const d = 1;\n',
        "vendor/x.mjs": b"",
    }
    assert imported("js/app.js", sources) == ["js/app.js", "js/a.js", "js/deep/c.js"]


def test_the_page_names_all_that_it_begins_with(tmp_path: Path) -> None:
    """Where nothing is joined; the player is not among it, nor what a worker runs."""
    web = shutil.copytree(WEB, tmp_path / "web", ignore=shutil.ignore_patterns("built"))
    index = WebApp.load(web).index()
    assert index is not None
    named = set(re.findall(rb'rel="modulepreload" href="/app/([^"]+)"', index.body))
    assert {b"js/app.js", b"js/showing.js", b"js/clock.js"} <= named
    assert not {name for name in named if b"vendor" in name or b"worker" in name}
