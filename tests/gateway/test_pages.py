"""Reading the app's folder."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

from gateway.pages import WebApp


def folder(tmp_path: Path) -> Path:
    """A small app with things beside it that are not for the world."""
    files = {
        "index.html": "<!doctype html>" + "<p>Hello</p>" * 100,
        "js/app.mjs": "export const a = 1;\n" * 100,
        "js/old.js": "1",
        "tell.webmanifest": "{}",
        "icons/a.svg": "<svg/>",
        "icons/a.png": "not really",
        ".env": "secret",
        ".git/config.json": "{}",
        "_notes.txt": "draft",
        "app.mjs~": "backup",
        "README.md": "notes",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_each_file_has_its_media_type(tmp_path: Path) -> None:
    """Modules as JavaScript (RFC 9239), the manifest as one: browsers refuse others."""
    app = WebApp.load(folder(tmp_path))
    expected = {
        "index.html": "text/html; charset=utf-8",
        "js/app.mjs": "text/javascript; charset=utf-8",
        "js/old.js": "text/javascript; charset=utf-8",
        "tell.webmanifest": "application/manifest+json",
        "icons/a.svg": "image/svg+xml",
        "icons/a.png": "image/png",
    }
    for name, media_type in expected.items():
        page = app.page(name)
        assert page is not None
        assert page.media_type == media_type


def test_what_is_not_the_app_s_is_not_served(tmp_path: Path) -> None:
    """Hidden files, drafts, backups and unknown suffixes stay private."""
    app = WebApp.load(folder(tmp_path))
    for name in (".env", ".git/config.json", "_notes.txt", "app.mjs~", "README.md", "../x", ""):
        assert app.page(name) is None


def test_text_is_packed_where_that_helps(tmp_path: Path) -> None:
    """And only there; the packed form is the same file."""
    app = WebApp.load(folder(tmp_path))
    module, tiny, image = (app.page(name) for name in ("js/app.mjs", "js/old.js", "icons/a.png"))
    assert module is not None
    assert module.packed is not None
    assert gzip.decompress(module.packed) == module.body
    assert len(module.packed) < len(module.body)
    assert tiny is not None
    assert tiny.packed is None
    assert image is not None
    assert image.packed is None


def app_with_worker(tmp_path: Path, script: str = "export {};") -> WebApp:
    """An app with a page, a script and the service worker's skeleton."""
    (tmp_path / "index.html").write_text('<meta name="tell-downloads-mb" content="300">')
    (tmp_path / "app.js").write_text(script)
    (tmp_path / "sw.js").write_text('const SHELL = { version: "", files: {} };\nrun(SHELL);\n')
    return WebApp.load(tmp_path, downloads_mb=120)


def shell_of(app: WebApp) -> tuple[str, dict[str, str]]:
    """Version and files that the service worker is told."""
    worker = app.page("sw.js")
    assert worker is not None
    first, rest = worker.body.decode().split("\n", 1)
    assert rest == "run(SHELL);\n"
    shell = json.loads(first.removeprefix("const SHELL = ").removesuffix(";"))
    return shell["version"], shell["files"]


def test_the_worker_knows_every_file_by_its_digest(tmp_path: Path) -> None:
    """All that the app needs without network, the page by its own address, and not itself."""
    app = app_with_worker(tmp_path)
    index, script = app.index(), app.page("app.js")
    assert index is not None
    assert script is not None
    _, files = shell_of(app)
    assert files == {
        "/app/app.js": hashlib.sha256(script.body).hexdigest()[:32],
        "/listen": hashlib.sha256(index.body).hexdigest()[:32],
    }


def test_a_changed_file_is_a_new_version(tmp_path: Path) -> None:
    """The worker's own bytes change, which is what browsers look at; unchanged ones stay."""
    version, _ = shell_of(app_with_worker(tmp_path))
    assert shell_of(app_with_worker(tmp_path))[0] == version
    assert shell_of(app_with_worker(tmp_path, "export const changed = 1;"))[0] != version


def test_the_page_says_how_much_a_phone_keeps(tmp_path: Path) -> None:
    """[app] downloads_mb reaches the app with its page, so it is known without network too."""
    index = app_with_worker(tmp_path).index()
    assert index is not None
    assert index.body == b'<meta name="tell-downloads-mb" content="120">'


def test_the_worker_and_page_of_this_repository_are_filled_in() -> None:
    """What is looked for stands in the files as they are: a reworded line would be passed over."""
    app = WebApp.load(Path("gateway/web"), downloads_mb=77)
    worker, index = app.page("sw.js"), app.index()
    assert worker is not None
    assert index is not None
    assert b'"/listen": "' in worker.body
    assert b'content="77"' in index.body
