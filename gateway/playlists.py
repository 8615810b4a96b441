"""Writing and sending playlists: packed where the client takes it, and stored nowhere."""

from __future__ import annotations

import gzip
from typing import Literal

from aiohttp import web

from gateway.grants import Opening
from gateway.negotiation import accepts_gzip
from media import hls

# A two-hour playlist shrinks from 70 to 8 kB in half a millisecond; higher levels gain nothing.
_GZIP_LEVEL = 6


def multivariant(opening: Opening, codec: Literal["aac", "opus"], stream_token: str) -> str:
    """Multivariant Playlist of one codec at the present position.

    Raises RenditionNotFoundError where the track has no rendition of it: no player understands an
    empty playlist.
    """
    names = [rendition.name for rendition in opening.renditions(codec)]
    return hls.multivariant_playlist(
        opening.track, codec, stream_token, opening.position_s, renditions=names
    )


def playlist_response(request: web.Request, text: str, media_type: str) -> web.Response:
    """Answer with *text*; it holds the present position and tokens, so nobody may keep it."""
    body = text.encode()
    headers = {"Cache-Control": "private, no-store", "Vary": "Accept-Encoding"}
    if accepts_gzip(request.headers.get("Accept-Encoding")):
        body = gzip.compress(body, _GZIP_LEVEL, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=body, content_type=media_type, headers=headers)
