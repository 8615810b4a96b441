"""`GET /media/audio/{movieId}`: where the sound of a ticket is, and where it stands now."""

from __future__ import annotations

from aiohttp import web

from catalog.errors import DatabaseError, TicketNotFoundError
from gateway.auth import listener_of
from gateway.bodies import read_query
from gateway.errors import (
    ListenerRefusedError,
    NotAcceptableError,
    NotDescribedError,
    NotEnrichedError,
    NoTicketError,
    QueryError,
    RenditionNotFoundError,
    ScreeningCancelledError,
    ScreeningEndedError,
    TicketParkedError,
    WrongMovieError,
)
from gateway.keys import GRANTS, METRICS, correlate
from gateway.negotiation import preferred_type
from gateway.playlists import multivariant, playlist_response
from gateway.present import grant_view, json_response
from gateway.routing import Answer, Route
from gateway.schemas import GrantQuery, GrantView
from media import hls
from media.errors import InvalidIdError, StorageError, TrackNotFoundError

_JSON = "application/json"
# What players ask for in place of the registered type (RFC 8216 10).
_PLAYLIST_TYPES = (hls.MEDIA_TYPE, "application/x-mpegurl", "audio/mpegurl")


async def get_audio(request: web.Request) -> web.Response:
    """Open the track of a movie to the listener, as JSON or as the Multivariant Playlist itself.

    The playlist is answered with 200 and not by a redirect (Apple's authoring rule 8.18).
    """
    listener = listener_of(request)
    wanted = preferred_type(request.headers.get("Accept"), (_JSON, *_PLAYLIST_TYPES))
    if wanted is None:
        raise NotAcceptableError((_JSON, hls.MEDIA_TYPE))
    query = read_query(request, GrantQuery)
    if query.ticket is not None:
        correlate(request, query.ticket)
    grant = await request.app[GRANTS].grant(
        listener, request.match_info["movieId"], query.ticket, query.language
    )
    opening = grant.opening
    correlate(request, opening.ticket.correlation_id)
    request.app[METRICS].grants.labels(opening.place.phase).inc()
    if wanted == _JSON:
        response = json_response(grant_view(grant))
    else:
        text = multivariant(opening, "aac", grant.stream_token)
        response = playlist_response(request, text, hls.MEDIA_TYPE)
    # The same address has two forms (RFC 9110 12.5.5).
    vary = response.headers.get("Vary")
    response.headers["Vary"] = "Accept" if vary is None else f"Accept, {vary}"
    return response


ROUTES = (
    Route(
        method="GET",
        path="/media/audio/{movieId}",
        handler=get_audio,
        tag="media",
        summary="Open the audio description of a movie",
        security="listener",
        query=GrantQuery,
        answers=(
            Answer(200, "Signed paths and the present position", GrantView, (hls.MEDIA_TYPE,)),
        ),
        errors=(
            ListenerRefusedError,
            QueryError,
            InvalidIdError,
            NotAcceptableError,
            WrongMovieError,
            TicketNotFoundError,
            NoTicketError,
            TrackNotFoundError,
            NotDescribedError,
            RenditionNotFoundError,
            NotEnrichedError,
            TicketParkedError,
            ScreeningCancelledError,
            ScreeningEndedError,
            StorageError,
            DatabaseError,
        ),
    ),
)
