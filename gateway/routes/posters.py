"""`GET /posters/{environment}/{movieId}`: a film's poster, so that no phone asks anybody else."""

from __future__ import annotations

from aiohttp import web

from catalog.errors import DatabaseError
from gateway.errors import PosterNotFoundError, PosterUnavailableError
from gateway.keys import POSTERS
from gateway.posters import MEDIA_TYPES
from gateway.ranges import select_bytes
from gateway.routing import Answer, Route
from gateway.schemas import PosterQuery

# Nobody's in particular, so every cache may have it; an old one is better than none.
_CACHING = "public, max-age=86400, stale-while-revalidate=604800, stale-if-error=2592000"
# An SVG is a document: opened by itself, it may neither run nor load anything (CSP Level 3).
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"


async def get_poster(request: web.Request) -> web.Response:
    """Send the picture; `v` only tells an older one from a newer one in caches."""
    names = request.match_info
    poster = await request.app[POSTERS].get(names["environment"], names["movieId"])
    headers = {
        "ETag": f'"{poster.etag}"',
        "Cache-Control": _CACHING,
        "Content-Security-Policy": _POLICY,
    }
    if select_bytes("HEAD", request.headers, poster.etag, len(poster.body)).status == 304:
        return web.Response(status=304, headers=headers)
    return web.Response(body=poster.body, content_type=poster.media_type, headers=headers)


ROUTES = (
    Route(
        method="GET",
        path="/posters/{environment}/{movieId}",
        handler=get_poster,
        tag="app",
        summary="A film's poster",
        query=PosterQuery,
        answers=(
            Answer(200, "The picture", media_types=MEDIA_TYPES),
            Answer(304, "The client has it"),
        ),
        errors=(PosterNotFoundError, PosterUnavailableError, DatabaseError),
    ),
)
