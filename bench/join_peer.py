"""The peer of bench/joins.py: the same five answers as one would write them with aiohttp alone.

`python -m bench.join_peer <signing.keys> <folder of the track>` serves until SIGTERM. Tokens are
verified and signed as Tell's, playlists are written for each listener but packed beforehand where
they are large, and files are sent by aiohttp's FileResponse. There is no database, so that every
bearer has every ticket; no log, no metrics, no storage that may change.
"""

from __future__ import annotations

import asyncio
import gzip
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web

from bench.serving import serve
from media import hls
from media.tokens import Keyring, StreamClaims, Tokens
from media.track import load_track

_LASTS = timedelta(hours=2)
_FILM_RUNS = timedelta(minutes=12)


class Peer:
    """Answers."""

    def __init__(self, keys: Path, folder: Path) -> None:
        self._tokens = Tokens(Keyring.load(keys))
        self._folder = folder
        self._track = load_track((folder / "track.json").read_bytes(), "track.json")
        self._movie_start = datetime.now(UTC) - _FILM_RUNS
        self._media_playlists = {
            rendition.name: gzip.compress(
                hls.media_playlist(self._track, rendition, 0.0, self._movie_start).encode()
            )
            for rendition in self._track.renditions
        }

    async def grant(self, request: web.Request) -> web.Response:
        """Signed addresses, and where the film is."""
        self._tokens.read_listener_token(request.headers["Authorization"].removeprefix("Bearer "))
        now = datetime.now(UTC)
        claims = StreamClaims(
            *(request.query["ticket"], 1, self._track.movie_id, self._track.language),
            *(self._track.version, self._movie_start + _LASTS),
        )
        files = f"/stream/{self._tokens.stream_token(claims)}"
        return web.json_response(
            {
                "hls": f"/stream/{self._tokens.access_token(claims)}/main.m3u8",
                "downloads": [
                    {
                        "rendition": rendition.name,
                        "codec": rendition.codec,
                        "url": f"{files}/{rendition.file_name}",
                        "size_bytes": rendition.size_bytes,
                        "sha256": rendition.sha256,
                    }
                    for rendition in self._track.renditions
                ],
                "movie_start": self._movie_start.isoformat(),
                "server_time": now.isoformat(),
                "track_position_s": (now - self._movie_start).total_seconds(),
            }
        )

    async def multivariant(self, request: web.Request) -> web.Response:
        """Beginning now."""
        now = datetime.now(UTC)
        claims = self._tokens.read_access_token(request.match_info["token"], now)
        position_s = (now - self._movie_start).total_seconds()
        text = hls.multivariant_playlist(
            self._track, "aac", self._tokens.stream_token(claims), position_s
        )
        return _packed(gzip.compress(text.encode(), 6))

    async def media_playlist(self, request: web.Request) -> web.Response:
        """The same for everybody."""
        self._tokens.read_stream_token(request.match_info["token"], datetime.now(UTC))
        return _packed(self._media_playlists[request.match_info["rendition"]])

    async def file(self, request: web.Request) -> web.FileResponse:
        """A range of a rendition."""
        self._tokens.read_stream_token(request.match_info["token"], datetime.now(UTC))
        return web.FileResponse(self._folder / f"{request.match_info['rendition']}.mp4")


def _packed(body: bytes) -> web.Response:
    return web.Response(
        body=body, content_type=hls.MEDIA_TYPE, headers={"Content-Encoding": "gzip"}
    )


async def main(keys: Path, folder: Path) -> None:
    """Serve."""
    peer = Peer(keys, folder)
    app = web.Application()
    rendition = "{rendition:[a-z0-9]+-[0-9]+k}"
    app.router.add_get("/media/audio/{movie}", peer.grant)
    app.router.add_get("/stream/{token}/main.m3u8", peer.multivariant)
    app.router.add_get(f"/stream/{{token}}/{rendition}.m3u8", peer.media_playlist)
    app.router.add_get(f"/stream/{{token}}/{rendition}.mp4", peer.file)
    await serve(app, "aiohttp")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
