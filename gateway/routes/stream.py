"""Playlists and the MPD, by a token in the path.

Multivariant Playlists, now.m3u8 and the MPD take an access token, Media Playlists a stream token.
Each one reads the screening afresh, so that a moved or cancelled film shows in the next playlist.
"""

from __future__ import annotations

from typing import Literal

from aiohttp import web

from catalog.errors import DatabaseError, TicketNotFoundError
from gateway.bodies import read_query
from gateway.errors import (
    QueryError,
    RenditionNotFoundError,
    ScreeningCancelledError,
    ScreeningEndedError,
    StreamRefusedError,
)
from gateway.grants import Opening
from gateway.keys import GRANTS, MEDIA_PLAYLISTS, METRICS, correlate
from gateway.playlists import (
    MULTIVARIANT_VARY,
    media_playlist_response,
    multivariant,
    playlist_response,
)
from gateway.routing import Answer, Route
from gateway.schemas import NowQuery, SilencesView
from gateway.wishes import Wishes, narrowed
from media import dash, hls
from media.errors import StorageError, TokenError, TrackNotFoundError

# A name that Rendition allows; so no path part can be anything but a name.
RENDITION = "{rendition:[a-z0-9]+-[0-9]+k}"
# Where now.m3u8 begins without a wish: speech is clear at it, and every network carries it.
_NOW_BIT_RATE_BPS = 64_000


async def get_main_playlist(request: web.Request) -> web.Response:
    """Multivariant Playlist of the AAC renditions."""
    return await _multivariant(request, "aac")


async def get_opus_playlist(request: web.Request) -> web.Response:
    """Multivariant Playlist of the Opus renditions: never in one with AAC."""
    return await _multivariant(request, "opus")


async def get_now_playlist(request: web.Request) -> web.Response:
    """Media Playlist that begins at the fragment that sounds now."""
    query = read_query(request, NowQuery)
    opening = await _playlist_opening(request)
    if query.rendition is not None:
        rendition = opening.rendition(query.rendition)
    else:
        rendition = min(
            opening.renditions("aac"), key=lambda r: abs(r.bit_rate_bps - _NOW_BIT_RATE_BPS)
        )
    text = hls.now_playlist(
        opening.track,
        rendition,
        opening.position_s,
        opening.zero_at,
        uri_prefix=f"/stream/{request.app[GRANTS].stream_token(opening)}/",
    )
    return _joined(request, opening, "now", text, hls.MEDIA_TYPE)


async def get_mpd(request: web.Request) -> web.Response:
    """Static MPD of all renditions."""
    opening = await _playlist_opening(request)
    text = dash.mpd(opening.track, request.app[GRANTS].stream_token(opening))
    return _joined(request, opening, "mpd", text, dash.MEDIA_TYPE)


async def get_media_playlist(request: web.Request) -> web.Response:
    """Media Playlist of one rendition (RFC 8216 4.3.3)."""
    opening = await request.app[GRANTS].open_stream(request.match_info["token"])
    correlate(request, opening.ticket.correlation_id)
    rendition = opening.rendition(request.match_info["rendition"])
    request.app[METRICS].playlists.labels("media").inc()
    return media_playlist_response(request, request.app[MEDIA_PLAYLISTS], opening, rendition)


async def get_silences(request: web.Request) -> web.Response:
    """Send the narrator's pauses: where an app may correct itself, or speak, unheard."""
    opening = await request.app[GRANTS].open_stream(request.match_info["token"])
    correlate(request, opening.ticket.correlation_id)
    track = opening.track
    view = SilencesView(sample_rate_hz=track.sample_rate_hz, silences=list(track.silences or ()))
    return playlist_response(request, view.model_dump_json(), "application/json")


async def _multivariant(request: web.Request, codec: Literal["aac", "opus"]) -> web.Response:
    wishes = Wishes.read(None, request.headers.get("Save-Data"))
    opening = narrowed(await _playlist_opening(request), wishes)
    text = multivariant(opening, codec, request.app[GRANTS].stream_token(opening))
    return _joined(request, opening, codec, text, hls.MEDIA_TYPE, *MULTIVARIANT_VARY)


async def _playlist_opening(request: web.Request) -> Opening:
    opening = await request.app[GRANTS].open_playlist(request.match_info["token"])
    correlate(request, opening.ticket.correlation_id)
    return opening


def _joined(
    request: web.Request, opening: Opening, kind: str, text: str, media_type: str, *vary: str
) -> web.Response:
    """What a player asks for once, when it begins; Media Playlists come at each change of rate."""
    metrics = request.app[METRICS]
    metrics.playlists.labels(kind).inc()
    metrics.joins.labels(opening.place.phase.value).inc()
    return playlist_response(request, text, media_type, *vary)


_ERRORS: tuple[type[Exception], ...] = (
    TokenError,
    StreamRefusedError,
    TicketNotFoundError,
    TrackNotFoundError,
    RenditionNotFoundError,
    ScreeningCancelledError,
    ScreeningEndedError,
    StorageError,
    DatabaseError,
)
_HLS = (hls.MEDIA_TYPE,)

ROUTES = (
    Route(
        method="GET",
        path="/stream/{token}/main.m3u8",
        handler=get_main_playlist,
        tag="media",
        summary="Multivariant Playlist, AAC (access token)",
        answers=(Answer(200, "With EXT-X-START at the present position", media_types=_HLS),),
        errors=_ERRORS,
    ),
    Route(
        method="GET",
        path="/stream/{token}/opus.m3u8",
        handler=get_opus_playlist,
        tag="media",
        summary="Multivariant Playlist, Opus (access token)",
        answers=(Answer(200, "With EXT-X-START at the present position", media_types=_HLS),),
        errors=_ERRORS,
    ),
    Route(
        method="GET",
        path="/stream/{token}/now.m3u8",
        handler=get_now_playlist,
        tag="media",
        summary="Media Playlist from the present position (access token)",
        query=NowQuery,
        answers=(Answer(200, "For players that ignore EXT-X-START", media_types=_HLS),),
        errors=(*_ERRORS, QueryError),
    ),
    Route(
        method="GET",
        path="/stream/{token}/main.mpd",
        handler=get_mpd,
        tag="media",
        summary="Static MPD (access token)",
        answers=(Answer(200, "All renditions", media_types=(dash.MEDIA_TYPE,)),),
        errors=_ERRORS,
    ),
    Route(
        method="GET",
        path="/stream/{token}/silences.json",
        handler=get_silences,
        tag="media",
        summary="The narrator's pauses (stream token)",
        answers=(Answer(200, "Where nobody speaks", SilencesView),),
        errors=_ERRORS,
    ),
    Route(
        method="GET",
        path=f"/stream/{{token}}/{RENDITION}.m3u8",
        handler=get_media_playlist,
        tag="media",
        summary="Media Playlist of one rendition (stream token)",
        answers=(Answer(200, "The whole film", media_types=_HLS),),
        errors=_ERRORS,
    ),
)
