"""The bytes of a rendition: whole, in ranges, and resumable."""

from __future__ import annotations

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
from gateway.headers import MEDIA_TYPE, edge_headers, file_headers
from gateway.keys import GRANTS, METRICS, PASSES, PRESIGNER, SETTINGS, STORAGE, correlate
from gateway.presigning import is_download
from gateway.ranges import Selection, joined, select_bytes
from gateway.routes.stream import RENDITION
from gateway.routing import Answer, Route
from media.errors import StorageError, TokenError, TrackNotFoundError
from media.storage import Storage

# At most this much of a file is in memory for one client: the next piece is read when the socket
# has taken the last one. A media segment (48 kB) is one piece. Who has not shown yet that she takes
# what she asked for gets smaller ones, since readers that take nothing may be thousands; behind
# 64 KiB or less the HTTP library would not wait for the socket.
_PIECE_BYTES = 256 * 1024
_FIRST_PIECE_BYTES = 66 * 1024
_FIRST_BYTES = 512 * 1024


async def get_file(request: web.Request) -> web.StreamResponse:
    """Bytes of one rendition (RFC 9110 14), private to the device and immutable."""
    token = request.match_info["token"]
    passes = request.app[PASSES]
    generation = passes.generation
    opening = await request.app[GRANTS].open_file(token)
    correlate(request, opening.ticket.correlation_id)
    # The next segment goes the short way (gateway/delivery/courier.py).
    passes.admit(token, opening, generation)
    rendition = opening.rendition(request.match_info["rendition"])
    selection = select_bytes(
        request.method, joined(request.headers), rendition.sha256, rendition.size_bytes
    )
    key = f"{opening.track.prefix}/{rendition.file_name}"
    response = web.StreamResponse(
        status=selection.status,
        headers=file_headers(rendition, selection)
        | edge_headers(request.app[SETTINGS].delivery.mode),
    )
    if selection.status != 304 and is_download(request) and PRESIGNER in request.app:
        return await request.app[PRESIGNER].redirect(key)
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
    piece = await _read(storage, key, position, min(end, position + _FIRST_PIECE_BYTES))
    await response.prepare(request)
    while True:
        # Waits while the socket is full: a slow reader holds one piece, not the file.
        await response.write(piece)
        position += len(piece)
        if position >= end:
            break
        begins = position - selection.start < _FIRST_BYTES
        most = _FIRST_PIECE_BYTES if begins else _PIECE_BYTES
        piece = await _read(storage, key, position, min(end, position + most))
    await response.write_eof()


async def _read(storage: Storage, key: str, position: int, end: int) -> bytes:
    piece = await storage.read_range(key, position, end - position)
    if not piece:
        raise StorageError(key, f"ends at byte {position}, before what track.json names")
    return piece


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
            Answer(307, "A download: the bucket has it, at this address for a moment"),
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
