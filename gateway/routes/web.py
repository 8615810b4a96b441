"""The listener's app: its page and its files."""

from __future__ import annotations

from aiohttp import web

from gateway.keys import PRESIGNER, WEB_APP
from gateway.negotiation import accepts_gzip, preferred_language
from gateway.pages import PAGE_POLICY, SCRIPT_POLICY, Page
from gateway.ranges import select_bytes
from gateway.routing import Answer, Route

_WORKER = "sw.js"
_SCRIPTS = (".js", ".mjs")


async def get_root(_request: web.Request) -> web.Response:
    """Lead people who type the address to the app."""
    return web.Response(status=302, headers={"Location": "/listen", "Cache-Control": "no-store"})


async def get_page(request: web.Request) -> web.Response:
    """Send the app's page; the claim code in its fragment never reaches us."""
    app = request.app[WEB_APP]
    response = _answer(request, app.index())
    response.headers["Content-Security-Policy"] = _policy(request, PAGE_POLICY)
    languages = app.languages()
    if languages:
        # The words come beside the script, and not after it (RFC 8288; HTML 4.6.8.19, "preload").
        language = preferred_language(request.headers.get("Accept-Language"), languages)
        link = f"</app/messages/{language}.json>; rel=preload; as=fetch; crossorigin"
        response.headers["Link"] = link
        response.headers["Vary"] = "Accept-Encoding, Accept-Language"
    return response


async def get_asset(request: web.Request) -> web.Response:
    """Send one file of the app."""
    path = request.match_info["path"]
    response = _answer(request, request.app[WEB_APP].page(path))
    if path.endswith(_SCRIPTS):
        # A worker's policy is that of its own script (CSP Level 3 4.2.1); on a 304 too, which
        # replaces the stored headers (RFC 9111 3.2).
        response.headers["Content-Security-Policy"] = _policy(request, SCRIPT_POLICY)
    if path == _WORKER:
        # It controls /listen and the downloads too, and not /app/ alone (Service Workers 3.1.9).
        response.headers["Service-Worker-Allowed"] = "/"
    return response


def _policy(request: web.Request, policy: str) -> str:
    """With the bucket's origin, where downloads come from there."""
    return request.app[PRESIGNER].let_in(policy) if PRESIGNER in request.app else policy


def _answer(request: web.Request, page: Page | None) -> web.Response:
    if page is None:
        raise web.HTTPNotFound
    packed = page.packed if accepts_gzip(request.headers.get("Accept-Encoding")) else None
    # The packed form is another representation, so it has a tag of its own (RFC 9110 8.8.3.3).
    etag = page.etag if packed is None else f"{page.etag}-gzip"
    headers = {
        "ETag": f'"{etag}"',
        # Asked again each time, answered 304: a new version is there at the next visit.
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
    }
    # Only the conditions are of use here: the files are small, so Range is passed over.
    if select_bytes("HEAD", request.headers, etag, len(page.body)).status == 304:
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = page.media_type
    if packed is not None:
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=page.body if packed is None else packed, headers=headers)


ROUTES = (
    Route(
        method="GET",
        path="/",
        handler=get_root,
        tag="app",
        summary="To the app",
        answers=(Answer(302, "The app is at /listen"),),
    ),
    Route(
        method="GET",
        path="/listen",
        handler=get_page,
        tag="app",
        summary="The app's page",
        answers=(
            Answer(200, "HTML", media_types=("text/html",)),
            Answer(304, "The client has it"),
        ),
    ),
    Route(
        method="GET",
        path="/app/{path:.+}",
        handler=get_asset,
        tag="app",
        summary="A file of the app",
        answers=(
            Answer(200, "Script, style, image, manifest or sound", media_types=("*/*",)),
            Answer(304, "The client has it"),
        ),
    ),
)
