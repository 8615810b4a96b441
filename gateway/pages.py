"""The listener's web app: a folder of small files, read once and kept in memory.

A request names a key of a dict, so no path can climb out of the folder.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.bundles import FOLDER as BUILT
from gateway.bundles import current_bundles
from gateway.scripts import imported, trimmed

# What a file is, by its suffix (RFC 9239 for JavaScript, W3C appmanifest for the manifest). Others
# are not served: a note or an editor's backup in the folder stays private.
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_COMPRESSED_ALREADY = frozenset(MEDIA_TYPES[name] for name in (".ico", ".png", ".woff2"))
_INDEX = "index.html"
_WORKER = "sw.js"
# What is filled in: the worker's list of the files that the app needs without network, and in the
# page how much of a phone the downloaded tracks may take.
_SHELL = b'const SHELL = { version: "", files: {} };'
_LIMIT = b'<meta name="tell-downloads-mb" content="300">'

# And the modules that are fetched beside the page, in place of the one that names the others.
_PRELOAD = b'<link rel="modulepreload" href="/app/js/app.js">'
_ENTRY = "js/app.js"
_MESSAGES = "messages/"
_FALLBACK = "en"
_OURS = ".js"
# What only a person with developer tools asks for; no phone keeps it.
_SOURCE_MAP = ".map"

# What the app's page may do: everything from here alone (CSP Level 3).
PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        # hls.js feeds the element through a blob URL, and a downloaded track is one.
        "media-src 'self' blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
# What a worker of the app may do (CSP Level 3): load its modules and fetch, both from here alone.
SCRIPT_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'"


@dataclass(frozen=True, slots=True)
class Page:
    """One file: what it is, its bytes, these packed where that helps, and a strong ETag."""

    media_type: str
    body: bytes
    packed: bytes | None
    etag: str


class WebApp:
    """The files of the app by their path below the folder."""

    def __init__(self, pages: Mapping[str, Page]) -> None:
        self._pages = pages

    @classmethod
    def load(cls, folder: Path, downloads_mb: int = 300) -> WebApp:
        """Read every file of *folder*.

        *downloads_mb* is what a phone keeps of tracks, in megabytes (docs/downloads.md).
        """
        pages = {}
        for path in sorted(folder.rglob("*")):
            media_type = MEDIA_TYPES.get(path.suffix)
            name = path.relative_to(folder)
            hidden = name.parts[0] == BUILT or any(p.startswith((".", "_")) for p in name.parts)
            if media_type is not None and not hidden and path.is_file():
                body = path.read_bytes()
                # The player from npm is small already, and not ours.
                trim = path.suffix == _OURS
                pages[name.as_posix()] = _page(trimmed(body) if trim else body, media_type)
        _join(pages, folder)
        if _INDEX in pages:
            limit = _LIMIT.replace(b"300", str(downloads_mb).encode())
            body = pages[_INDEX].body.replace(_LIMIT, limit)
            body = body.replace(_PRELOAD, _preloads(pages))
            pages[_INDEX] = _page(body, pages[_INDEX].media_type)
        if _WORKER in pages:
            worker = pages.pop(_WORKER)
            body = worker.body.replace(_SHELL, _shell(pages))
            pages[_WORKER] = _page(body, worker.media_type)
        return cls(pages)

    def page(self, name: str) -> Page | None:
        """The file of that name, None where there is none."""
        return self._pages.get(name)

    def index(self) -> Page | None:
        """The app's one page."""
        return self._pages.get(_INDEX)

    def languages(self) -> list[str]:
        """What the app speaks; what it falls back to comes first."""
        found = [Path(name).stem for name in self._pages if name.startswith(_MESSAGES)]
        return sorted(found, key=lambda language: (language != _FALLBACK, language))


def _join(pages: dict[str, Page], folder: Path) -> None:
    """Put the bundles of *folder*, where they are current, in place of what is joined in them."""
    bundles = current_bundles(folder)
    if bundles is None:
        return
    # The service worker stands by itself, since it is filled in here, and imports some of them too.
    sources = {name: page.body for name, page in pages.items()}
    kept = imported(_WORKER, sources) if _WORKER in pages else []
    for name in bundles.joined.difference(kept):
        pages.pop(name, None)
    for name, body in bundles.files.items():
        pages[name] = _page(body, MEDIA_TYPES[Path(name).suffix])


def _preloads(pages: Mapping[str, Page]) -> bytes:
    """Return a link to each module that the app begins with.

    So they are all fetched at once, and not each after the one that names it (HTML 4.6.8.12).
    """
    if _ENTRY not in pages:
        return b""
    names = imported(_ENTRY, {name: page.body for name, page in pages.items()})
    links = (f'<link rel="modulepreload" href="/app/{name}">' for name in names)
    return "\n".join(links).encode()


def _shell(pages: Mapping[str, Page]) -> bytes:
    """Return the service worker's list: each path with its digest, and what stands for them all.

    A changed file changes the worker, and so each browser fetches the new version (Service Workers,
    Update: byte-for-byte check).
    """
    files = {
        "/listen" if name == _INDEX else f"/app/{name}": page.etag
        for name, page in sorted(pages.items())
        if not name.endswith(_SOURCE_MAP)
    }
    version = hashlib.sha256(json.dumps(files).encode()).hexdigest()[:16]
    shell = {"version": version, "files": files}
    return f"const SHELL = {json.dumps(shell)};".encode()


def _page(body: bytes, media_type: str) -> Page:
    packed = None
    if media_type not in _COMPRESSED_ALREADY:
        # mtime 0: the same bytes on every replica.
        candidate = gzip.compress(body, mtime=0)
        packed = candidate if len(candidate) < len(body) else None
    return Page(media_type, body, packed, hashlib.sha256(body).hexdigest()[:32])
