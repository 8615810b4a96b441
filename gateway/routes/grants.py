"""`GET /media/audio/{movieId}`: where the sound of a ticket is, and where it stands now."""

from __future__ import annotations

from typing import Literal

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
from gateway.headers import private_headers
from gateway.keys import GRANTS, METRICS, PASSES, correlate
from gateway.negotiation import preferred_type
from gateway.playlists import multivariant, playlist_response
from gateway.present import GRANT_OFFERS, GRANT_VARY, JSON, grant_view
from gateway.routing import Answer, Route
from gateway.schemas import GrantQuery, GrantView
from gateway.wishes import Wishes, fitting
from media import hls
from media.errors import InvalidIdError, StorageError, TrackNotFoundError


async def get_audio(request: web.Request) -> web.Response:
    """Open the track of a movie to the listener, as JSON or as the Multivariant Playlist itself.

    The playlist is answered with 200 and not by a redirect (Apple's authoring rule 8.18).
    """
    listener = listener_of(request)
    wanted = preferred_type(request.headers.get("Accept"), GRANT_OFFERS)
    if wanted is None:
        raise NotAcceptableError((JSON, hls.MEDIA_TYPE))
    query = read_query(request, GrantQuery)
    if query.ticket is not None:
        correlate(request, query.ticket)
    passes = request.app[PASSES]
    generation = passes.generation
    granted = await request.app[GRANTS].grant(
        listener, request.match_info["movieId"], query.ticket, query.language
    )
    # Playlists and segments go the short way (gateway/delivery).
    passes.admit_all(granted, generation)
    grant = fitting(granted, Wishes.read(query.codecs, request.headers.get("Save-Data")))
    opening = grant.opening
    correlate(request, opening.ticket.correlation_id)
    request.app[METRICS].grants.labels(opening.place.phase).inc()
    if wanted != JSON:
        # AAC where the device says nothing, or takes both: every player of HLS decodes it.
        codec: Literal["aac", "opus"] = "aac" if opening.has("aac") else "opus"
        text = multivariant(opening, codec, grant.stream_token)
        return playlist_response(request, text, hls.MEDIA_TYPE, *GRANT_VARY)
    return web.Response(
        body=grant_view(grant).model_dump_json().encode(),
        content_type=JSON,
        headers=private_headers(*GRANT_VARY),
    )


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
