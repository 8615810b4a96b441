"""A page with the players that listeners may have, and the packaged track beside it."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from media import dash
from tests.packager.lint.stand import PREFIX, Stand
from tests.players.sound import Packaged

_ROOT = Path(__file__).parents[2]
_HERE = Path(__file__).parent
_SCRIPTS = {
    "/players.js": _HERE / "players.js",
    "/recorder.js": _HERE / "recorder.js",
    # The player that the app ships, and other makers' from npm, for the tests alone.
    "/hls.mjs": _ROOT / "gateway/web/vendor/hls.mjs",
    "/shaka.js": _ROOT / "node_modules/shaka-player/dist/shaka-player.compiled.js",
    "/dash.js": _ROOT / "node_modules/dashjs/dist/modern/umd/dash.mediaplayer.min.js",
}
_PAGE = """<!doctype html><meta charset="utf-8"><title>Players</title>
<button>Sound</button>
<script src="/shaka.js"></script><script src="/dash.js"></script>
<script type="module" src="/players.js"></script>
"""


def site(voice: Packaged) -> web.Application:
    """The page, the players, and the track as a right server has it."""
    app = Stand.of(voice.track, voice.folder).app()
    mpd = dash.mpd(voice.track, "token")

    async def script(request: web.Request) -> web.StreamResponse:
        headers = {"Content-Type": "text/javascript"}
        return web.FileResponse(_SCRIPTS[request.path], headers=headers)

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=_PAGE, content_type="text/html")

    async def manifest(_: web.Request) -> web.Response:
        return web.Response(text=mpd, content_type=dash.MEDIA_TYPE)

    app.router.add_get("/", page)
    app.router.add_get("/main.mpd", manifest)
    for path in _SCRIPTS:
        app.router.add_get(path, script)
    return app


def address(name: str) -> str:
    """Path of a playlist or file of the track."""
    return f"{PREFIX}/{name}"
