"""The app's modules as the build joins them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from gateway.bundles import current_bundles
from gateway.pages import WebApp

WEB = Path(__file__).parents[2] / "gateway/web"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An app of two modules and a worker, with the bundle that was made of them."""
    files = {
        "index.html": '<link rel="modulepreload" href="/app/js/app.js">',
        "sw.js": 'import { b } from "./js/b.js";\nconst SHELL = { version: "", files: {} };\n',
        "js/app.js": 'import { a } from "./a.js";\nimport { b } from "./b.js";\n',
        "js/a.js": "export const a = 1;\n",
        "js/b.js": "export const b = 2;\n",
        "js/alone.js": "postMessage(1);\n",
        "built/js/app.js": "var a=1,b=2;",
        "built/js/app.js.map": "{}",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    joined = ("js/app.js", "js/a.js", "js/b.js")
    listed = {
        "sources": {n: hashlib.sha256(files[n].encode()).hexdigest() for n in joined},
        "files": ["js/app.js", "js/app.js.map"],
    }
    (tmp_path / "built/bundles.json").write_text(json.dumps(listed))
    return tmp_path


def body(app: WebApp, name: str) -> bytes | None:
    """What is sent under that name."""
    page = app.page(name)
    return None if page is None else page.body


def test_a_bundle_stands_for_all_that_it_was_made_of(folder: Path) -> None:
    """One file in place of three; what the worker imports, and what was not joined, stay."""
    app = WebApp.load(folder)
    assert body(app, "js/app.js") == b"var a=1,b=2;"
    assert body(app, "js/a.js") is None
    assert body(app, "js/b.js") == b"export const b = 2;\n"
    assert body(app, "js/alone.js") == b"postMessage(1);\n"
    assert body(app, "built/js/app.js") is None


def test_a_phone_keeps_no_source_map(folder: Path) -> None:
    """It is there for who looks for an error; the worker's list is of what the app needs."""
    app = WebApp.load(folder)
    worker = body(app, "sw.js")
    assert body(app, "js/app.js.map") == b"{}"
    assert worker is not None
    assert b'"/app/js/app.js"' in worker
    assert b".map" not in worker
    assert b'"/app/js/a.js"' not in worker


@pytest.mark.parametrize("change", ["edited", "gone"])
def test_a_changed_module_is_never_passed_over(folder: Path, change: str) -> None:
    """Then the modules themselves are sent, all of them, and named by the page."""
    if change == "edited":
        (folder / "js/a.js").write_text("export const a = 3;\n")
    else:
        (folder / "js/a.js").unlink()
        (folder / "js/app.js").write_text('import { b } from "./b.js";\n')
    app = WebApp.load(folder)
    source = (folder / "js/app.js").read_bytes()
    assert body(app, "js/app.js") == source
    index = app.index()
    assert index is not None
    assert b'href="/app/js/b.js"' in index.body
    assert (body(app, "js/a.js") is None) is (change == "gone")


def test_without_a_build_there_are_the_modules(folder: Path) -> None:
    """A checkout that was never built serves its sources."""
    (folder / "built/bundles.json").unlink()
    assert current_bundles(folder) is None
    assert body(WebApp.load(folder), "js/a.js") == b"export const a = 1;\n"


def test_a_damaged_list_is_said_with_the_mend(folder: Path) -> None:
    """A disk that was full at the build: no half of an app."""
    (folder / "built/bundles.json").write_text('{"sources": {')
    with pytest.raises(ValueError, match=r"bundles\.json is damaged.*make app"):
        WebApp.load(folder)


def test_this_checkout_is_built() -> None:
    """`make` has joined the modules as they are; browser tests then run on what listeners get."""
    bundles = current_bundles(WEB)
    assert bundles is not None, "modules have changed since: make app"
    assert {"js/app.js", "js/showing.js", "js/downloadworker.js"} <= bundles.joined
    index = WebApp.load(WEB).index()
    assert index is not None
    assert index.body.count(b'rel="modulepreload"') == 1
