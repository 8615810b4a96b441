"""A real server of a really packaged track, which can be told to make one mistake."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from media import hls
from media.track import Track

ZERO_AT = datetime(2027, 3, 5, 19, 30, tzinfo=UTC)
PREFIX = "/stream/token"
_RANGE = re.compile(r"bytes=([0-9]+)-([0-9]*)")


@dataclass
class Stand:
    """What is served: playlists and files by name; the other fields are what it does wrong.

    `playlist_headers` and `media_headers` stand in for the right ones (None removes one).
    """

    texts: dict[str, bytes]
    files: dict[str, bytes]
    playlist_headers: dict[str, str | None] = field(default_factory=dict)
    media_headers: dict[str, str | None] = field(default_factory=dict)
    packs: bool = True
    packed_as: bytes | None = None
    missing: frozenset[str] = frozenset()
    redirected: frozenset[str] = frozenset()
    circle: bool = False
    takes_ranges: bool = True
    takes_open_ranges: bool = True
    skewed_by: int = 0
    asked: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, track: Track, folder: Path) -> Stand:
        """Stand for a published version, with every playlist that the gateway has."""
        texts = {}
        for codec, name in (("aac", "main"), ("opus", "opus")):
            text = hls.multivariant_playlist(track, codec, "token", 12.0)  # type: ignore[arg-type]
            texts[f"{name}.m3u8"] = text.encode()
        for rendition in track.renditions:
            text = hls.media_playlist(track, rendition, 12.0, ZERO_AT)
            texts[f"{rendition.name}.m3u8"] = text.encode()
        text = hls.now_playlist(track, track.renditions[0], 12.0, ZERO_AT)
        texts["now.m3u8"] = text.encode()
        files = {r.file_name: (folder / r.file_name).read_bytes() for r in track.renditions}
        return cls(texts, files)

    def rewrite(
        self,
        names: Iterable[str],
        pattern: str,
        by: str | Callable[[re.Match[str]], str],
        count: int = 0,
    ) -> None:
        """Replace *pattern* in playlists; it must be there, so that no test tests nothing."""
        for name in names:
            text, found = re.subn(
                pattern, by, self.texts[name].decode(), count=count, flags=re.MULTILINE
            )
            assert found, f"{name} has no {pattern}"
            self.texts[name] = text.encode()

    def patch(self, name: str, change: Callable[[bytearray], None]) -> None:
        """Change bytes of a file, not its size."""
        data = bytearray(self.files[name])
        before = len(data)
        change(data)
        assert len(data) == before
        assert bytes(data) != self.files[name]
        self.files[name] = bytes(data)

    def app(self) -> web.Application:
        """The server."""
        app = web.Application()
        app.router.add_get(PREFIX + "/{name}", self._answer)
        app.router.add_get("/elsewhere/{name}", self._serve)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self.asked.append(name)
        if self.circle:
            return web.Response(status=302, headers={"Location": request.path})
        if name in self.redirected:
            return web.Response(status=302, headers={"Location": f"/elsewhere/{name}"})
        return await self._serve(request)

    async def _serve(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name in self.missing:
            raise web.HTTPNotFound
        if name in self.texts:
            return self._playlist(request, self.texts[name])
        return self._media(request, name, self.files[name])

    def _playlist(self, request: web.Request, body: bytes) -> web.Response:
        headers: dict[str, str | None] = {
            "Content-Type": hls.MEDIA_TYPE,
            "Cache-Control": "private, no-store",
            "Vary": "Accept-Encoding",
        }
        if self.packs and "gzip" in request.headers.get("Accept-Encoding", ""):
            body = self.packed_as or gzip.compress(body, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=body, headers=_kept(headers | self.playlist_headers))

    def _media(self, request: web.Request, name: str, data: bytes) -> web.Response:
        headers: dict[str, str | None] = {
            "Content-Type": "audio/mp4",
            "Cache-Control": "private, max-age=31536000, immutable",
            "ETag": f'"{name}"',
        }
        match = _RANGE.fullmatch(request.headers.get("Range", ""))
        if match is None or not self.takes_ranges or not (match[2] or self.takes_open_ranges):
            return web.Response(body=data, headers=_kept(headers | self.media_headers))
        first = int(match[1])
        last = min(int(match[2]) if match[2] else len(data) - 1, len(data) - 1)
        told = first + self.skewed_by
        headers["Content-Range"] = f"bytes {told}-{last + self.skewed_by}/{len(data)}"
        body = data[first : last + 1]
        return web.Response(status=206, body=body, headers=_kept(headers | self.media_headers))


def _kept(headers: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if value is not None}
