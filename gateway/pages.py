"""The listener's web app: a folder of small files, read once and kept in memory.

A request names a key of a dict, so no path can climb out of the folder.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

# What a file is, by its suffix (RFC 9239 for JavaScript, W3C appmanifest for the manifest). Others
# are not served: a note or an editor's backup in the folder stays private.
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
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
    """The files of the app by their path below the folder, and the policy of its page."""

    def __init__(self, pages: Mapping[str, Page], policy: str) -> None:
        self._pages = pages
        self.policy = policy

    @classmethod
    def load(cls, folder: Path, image_urls: Iterable[str], downloads_mb: int = 300) -> WebApp:
        """Read every file of *folder*; *image_urls* are where posters come from.

        *downloads_mb* is what a phone keeps of tracks, in megabytes (docs/downloads.md).
        """
        pages = {}
        for path in sorted(folder.rglob("*")):
            media_type = MEDIA_TYPES.get(path.suffix)
            name = path.relative_to(folder)
            hidden = any(part.startswith((".", "_")) for part in name.parts)
            if media_type is not None and not hidden and path.is_file():
                pages[name.as_posix()] = _page(path.read_bytes(), media_type)
        if _INDEX in pages:
            limit = _LIMIT.replace(b"300", str(downloads_mb).encode())
            body = pages[_INDEX].body.replace(_LIMIT, limit)
            pages[_INDEX] = _page(body, pages[_INDEX].media_type)
        if _WORKER in pages:
            worker = pages.pop(_WORKER)
            body = worker.body.replace(_SHELL, _shell(pages))
            pages[_WORKER] = _page(body, worker.media_type)
        return cls(pages, content_security_policy(image_urls))

    def page(self, name: str) -> Page | None:
        """The file of that name, None where there is none."""
        return self._pages.get(name)

    def index(self) -> Page | None:
        """The app's one page."""
        return self._pages.get(_INDEX)


def content_security_policy(image_urls: Iterable[str]) -> str:
    """Policy of the app's page: everything from here alone, but for posters (CSP Level 3)."""
    origins = sorted({_origin(url) for url in image_urls})
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            " ".join(("img-src 'self'", *origins)),
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


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _shell(pages: Mapping[str, Page]) -> bytes:
    """Return the service worker's list: each path with its digest, and what stands for them all.

    A changed file changes the worker, and so each browser fetches the new version (Service Workers,
    Update: byte-for-byte check).
    """
    files = {
        "/listen" if name == _INDEX else f"/app/{name}": page.etag
        for name, page in sorted(pages.items())
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
