"""Addresses at the bucket itself, for downloads: signed by us, good for moments, never logged."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from aiohttp import web

from media.storage import Presigns

# What a client accepts that goes on with a download: bytes, whatever they are. A header that a page
# may send to any origin without asking it first (Fetch 2.2.2), and that a bucket does not mind.
TO_KEEP = "application/octet-stream"
# RFC 9110 13.1.
_CONDITIONS = ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range")
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
    """Whether it takes a whole file, or the rest of one, to keep it.

    A player asks for pieces, or for what follows without saying that it wants to keep that, and is
    never sent elsewhere (Apple, HLS Authoring Specification 8.18). Nor is a condition: a client
    sends its headers on to where it is led (Fetch 4.4), and the bucket has tags of its own, so an
    `If-Range` of ours would bring the whole file again from there (RFC 9110 13.1.5).
    """
    headers = request.headers
    if request.method != "GET" or any(name in headers for name in _CONDITIONS):
        return False
    asked = headers.get("Range")
    return asked is None or (asked.endswith("-") and headers.get("Accept") == TO_KEEP)
