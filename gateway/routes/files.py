"""The bytes of a rendition: whole, in ranges, and resumable."""

from __future__ import annotations

import base64

from aiohttp import web

from catalog.errors import DatabaseError, TicketNotFoundError
from gateway.errors import (
    PreconditionFailedError,
    RangeUnsatisfiableError,
    RenditionNotFoundError,
    ScreeningCancelledError,
    ScreeningEndedError,
    StreamRefusedError,
)
from gateway.keys import GRANTS, METRICS, STORAGE, correlate
from gateway.ranges import Selection, select_bytes
from gateway.routes.stream import RENDITION
from gateway.routing import Answer, Route
from media.errors import StorageError, TokenError, TrackNotFoundError
from media.storage import Storage
from media.track import Rendition

MEDIA_TYPE = "audio/mp4"
# At most this much of a file is in memory for one client: the next piece is read when the socket
# has taken the last one. A media segment (48 kB) is one piece.
_PIECE_BYTES = 256 * 1024


async def get_file(request: web.Request) -> web.StreamResponse:
    """Bytes of one rendition (RFC 9110 14), private to the device and immutable."""
    opening = await request.app[GRANTS].open_stream(request.match_info["token"])
    correlate(request, opening.ticket.correlation_id)
    rendition = opening.rendition(request.match_info["rendition"])
    selection = select_bytes(
        request.method, request.headers, rendition.sha256, rendition.size_bytes
    )
    response = web.StreamResponse(status=selection.status, headers=_headers(rendition, selection))
    key = f"{opening.track.prefix}/{rendition.file_name}"
    if request.method == "HEAD" or selection.status == 304:
        # HEAD tells the length that GET would have (RFC 9110 9.3.2), and neither has a body.
        await response.prepare(request)
        await response.write_eof()
        return response
    await _send(request, response, request.app[STORAGE], key, selection)
    request.app[METRICS].media_bytes.labels(rendition.name).inc(selection.size)
    return response


async def _send(
    request: web.Request,
    response: web.StreamResponse,
    storage: Storage,
    key: str,
    selection: Selection,
) -> None:
    """Send the selected bytes piece by piece; raises StorageError."""
    position, end = selection.start, selection.start + selection.size
    # The first piece is read before the head is sent, so that a missing file is a clean problem.
    piece = await _read(storage, key, position, end)
    await response.prepare(request)
    while True:
        # Waits while the socket is full: a slow reader holds one piece, not the file.
        await response.write(piece)
        position += len(piece)
        if position >= end:
            break
        piece = await _read(storage, key, position, end)
    await response.write_eof()


async def _read(storage: Storage, key: str, position: int, end: int) -> bytes:
    piece = await storage.read_range(key, position, min(_PIECE_BYTES, end - position))
    if not piece:
        raise StorageError(key, f"ends at byte {position}, before the {end} that track.json names")
    return piece


def _headers(rendition: Rendition, selection: Selection) -> dict[str, str]:
    headers = {
        "Accept-Ranges": "bytes",
        # The digest is the version: equal tags, equal bytes (RFC 9110 8.8.3).
        "ETag": f'"{rendition.sha256}"',
        "Cache-Control": "private, max-age=31536000, immutable",
    }
    if selection.status == 304:
        return headers
    digest = base64.b64encode(bytes.fromhex(rendition.sha256)).decode()
    headers |= {
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(selection.size),
        # Of the whole file, in a 206 too (RFC 9530 3).
        "Repr-Digest": f"sha-256=:{digest}:",
    }
    if selection.status == 206:
        last = selection.start + selection.size - 1
        headers["Content-Range"] = f"bytes {selection.start}-{last}/{rendition.size_bytes}"
    return headers


ROUTES = (
    Route(
        method="GET",
        path=f"/stream/{{token}}/{RENDITION}.mp4",
        handler=get_file,
        tag="media",
        summary="Bytes of one rendition (stream token)",
        answers=(
            Answer(200, "The whole file", media_types=(MEDIA_TYPE,)),
            Answer(206, "The first satisfiable range that was asked", media_types=(MEDIA_TYPE,)),
            Answer(304, "The client has it"),
        ),
        errors=(
            TokenError,
            StreamRefusedError,
            TicketNotFoundError,
            TrackNotFoundError,
            RenditionNotFoundError,
            ScreeningCancelledError,
            ScreeningEndedError,
            PreconditionFailedError,
            RangeUnsatisfiableError,
            StorageError,
            DatabaseError,
        ),
    ),
)
