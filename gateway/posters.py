"""Posters: fetched from the partner's image server by Tell, so that no phone ever asks it.

Who looks at the poster of a described film may be blind: the image server is told nothing of her,
not even that there is one. Each picture is fetched once, checked, and kept in memory.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import quote

import aiohttp
import structlog

from gateway.errors import PosterNotFoundError, PosterUnavailableError
from gateway.settings import PostersSettings

log = structlog.get_logger(__name__)

_SVG = "image/svg+xml"
# How each kind of picture begins, whatever its sender calls it.
_BEGINNINGS = (
    ("image/jpeg", 0, b"\xff\xd8\xff"),
    ("image/png", 0, b"\x89PNG\r\n\x1a\n"),
    ("image/webp", 8, b"WEBP"),
    ("image/avif", 4, b"ftypavif"),
)
MEDIA_TYPES = (*(media_type for media_type, _, _ in _BEGINNINGS), _SVG)
_HEAD_BYTES = 1024
# A source that failed is left alone so long.
_RETRY = timedelta(seconds=60)
# What is remembered of a picture that is not there.
_ENTRY_BYTES = 512


class Films(Protocol):
    """What is asked of the catalog."""

    async def poster_path(self, environment: str, movie_id: str) -> str | None:
        """Where the partner has the film's poster; None without one."""


@dataclass(frozen=True, slots=True)
class Poster:
    """A picture, checked, and its strong ETag."""

    media_type: str
    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class _Kept:
    """What came of the last fetch. No poster: `missing` where there is none, else it failed."""

    poster: Poster | None
    missing: bool
    due_at: datetime

    @property
    def size_bytes(self) -> int:
        return _ENTRY_BYTES + (len(self.poster.body) if self.poster else 0)


def poster_url(environment: str, movie_id: str, poster_path: str) -> str:
    """Where Tell serves it, from the root; another path at the partner's is another address."""
    version = hashlib.sha256(poster_path.encode()).hexdigest()[:8]
    return f"/posters/{environment}/{quote(movie_id, safe='')}?v={version}"


class Posters:
    """Fetches and keeps them. *bases* is what stands before a poster_path, by environment."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        films: Films,
        bases: Mapping[str, str],
        clock: Callable[[], datetime],
        settings: PostersSettings,
    ) -> None:
        self._session = session
        self._films = films
        self._bases = bases
        self._clock = clock
        self._settings = settings
        self._timeout = aiohttp.ClientTimeout(total=settings.timeout_s)
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._size_bytes = 0
        self._flights: dict[str, asyncio.Task[_Kept]] = {}

    async def get(self, environment: str, movie_id: str) -> Poster:
        """The poster of a film, fetched where it is not kept.

        One that is kept is served on while its source is down. Raises PosterNotFoundError,
        PosterUnavailableError, DatabaseError.
        """
        base = self._bases.get(environment)
        path = base and await self._films.poster_path(environment, movie_id)
        if not base or not path:
            raise PosterNotFoundError(movie_id)
        url = f"{base}/{path.lstrip('/')}"
        kept = self._kept.get(url)
        if kept is None or self._clock() >= kept.due_at:
            kept = await self._fetched(url)
        else:
            self._kept.move_to_end(url)
        if kept.poster is not None:
            return kept.poster
        if kept.missing:
            raise PosterNotFoundError(movie_id)
        raise PosterUnavailableError(movie_id, round(_RETRY.total_seconds()))

    async def close(self) -> None:
        """Give up what is on its way."""
        for flight in self._flights.values():
            flight.cancel()
        await asyncio.gather(*self._flights.values(), return_exceptions=True)

    async def _fetched(self, url: str) -> _Kept:
        """Fetch it, once for all who ask meanwhile; who hangs up takes it from nobody."""
        flight = self._flights.get(url)
        if flight is None:
            flight = asyncio.create_task(self._fetch(url))
            self._flights[url] = flight
            flight.add_done_callback(lambda _: self._flights.pop(url, None))
        return await asyncio.shield(flight)

    async def _fetch(self, url: str) -> _Kept:
        before = self._kept.get(url)
        now = self._clock()
        try:
            poster = await self._ask(url)
        except (_RefusedError, aiohttp.ClientError, TimeoutError) as error:
            log.warning("a poster could not be fetched", url=url, reason=str(error) or repr(error))
            kept = _Kept(before.poster if before else None, False, now + _RETRY)
        else:
            fresh = timedelta(seconds=self._settings.fresh_s)
            kept = _Kept(poster, poster is None, now + (fresh if poster else _RETRY))
        self._keep(url, kept)
        return kept

    async def _ask(self, url: str) -> Poster | None:
        """Ask the source; None where it has none. Raises _RefusedError and aiohttp's errors."""
        # No redirects: they could lead to where only Tell may go.
        async with self._session.get(
            url, timeout=self._timeout, allow_redirects=False, headers={"Accept": "image/*"}
        ) as response:
            if response.status in {404, 410}:
                return None
            if response.status != 200:
                raise _RefusedError(f"status {response.status}")
            body = await _at_most(response.content, self._settings.max_kb * 1000)
            media_type = picture_type(body, response.content_type)
        if media_type is None:
            raise _RefusedError(f"{response.content_type[:40]} is no picture")
        return Poster(media_type, body, hashlib.sha256(body).hexdigest()[:32])

    def _keep(self, url: str, kept: _Kept) -> None:
        before = self._kept.pop(url, None)
        self._size_bytes += kept.size_bytes - (before.size_bytes if before else 0)
        self._kept[url] = kept
        while self._size_bytes > self._settings.keep_mb * 1_000_000 and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._size_bytes -= dropped.size_bytes


class _RefusedError(Exception):
    """The source's answer is not a picture that can be shown."""


async def _at_most(content: aiohttp.StreamReader, limit_bytes: int) -> bytes:
    body = bytearray()
    async for piece in content.iter_any():
        body += piece
        if len(body) > limit_bytes:
            raise _RefusedError(f"more than {limit_bytes} bytes")
    return bytes(body)


def picture_type(body: bytes, declared: str) -> str | None:
    """Return what the bytes are, None where they are no picture that is served.

    SVG has no magic number: it is one where its sender says so and its root stands near the start.
    """
    for media_type, offset, beginning in _BEGINNINGS:
        if body[offset : offset + len(beginning)] == beginning:
            return media_type
    return _SVG if declared == _SVG and b"<svg" in body[:_HEAD_BYTES] else None
