"""Addresses at the bucket itself, for downloads: signed by us, good for moments, never logged."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from aiohttp import web

from media.storage import Presigns

# Of an object that need not be there: only the place where it would be is looked at.
_ANY_KEY = "tracks/any/current.json"


class Presigner:
    """Makes the addresses; `origin` is where they lead (RFC 6454 6.2)."""

    def __init__(self, storage: Presigns, lasts: timedelta, origin: str) -> None:
        self.origin = origin
        self._storage = storage
        self._lasts = lasts

    @classmethod
    async def open(cls, storage: Presigns, lasts: timedelta) -> Presigner:
        """Find out where addresses lead; raises StorageError where none can be made."""
        parts = urlsplit(await storage.presigned(_ANY_KEY, lasts))
        return cls(storage, lasts, f"{parts.scheme}://{parts.netloc}")

    async def redirect(self, key: str) -> web.Response:
        """Send a client there, for this once (307: RFC 9110 15.4.8); raises StorageError."""
        url = await self._storage.presigned(key, self._lasts)
        return web.Response(
            status=307, headers={"Location": url, "Cache-Control": "private, no-store"}
        )

    def let_in(self, policy: str) -> str:
        """A content security policy by which the app may read from there (CSP Level 3 6.1.2)."""
        return policy.replace("connect-src 'self'", f"connect-src 'self' {self.origin}")


def is_download(request: web.Request) -> bool:
    """Whether it takes a whole file, or the rest of one that it began by its tag.

    A player asks for pieces, or for what follows without naming a tag, and is never sent elsewhere
    (Apple, HLS Authoring Specification 8.18).
    """
    if request.method != "GET":
        return False
    asked = request.headers.get("Range")
    return asked is None or ("If-Range" in request.headers and asked.endswith("-"))
