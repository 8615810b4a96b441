"""Tell keeps what its OpenAPI document says."""

from __future__ import annotations

from tests.gateway.town import Town
from tests.openapi.contract import broken_promises

PLAYLISTS = ("main.m3u8", "opus.m3u8", "now.m3u8", "main.mpd")


async def test_tell_keeps_its_document(town: Town) -> None:
    """Edge cases, random requests and sequences of them: every answer is as described."""
    sold, listener = await town.ticket()
    spare = await town.claim(sold, device="device-nonce-0002")
    grant = await town.grant(listener, sold)
    access = {"token": grant["hls"].split("/")[2]}
    stream = {"token": grant["downloads"][0]["url"].split("/")[2], "rendition": "aac-64k"}
    world = {
        "now_s": int(town.clock.now.timestamp()),
        "secret": town.secret.hex(),
        "bearer": listener,
        "spare": spare,
        "paths": {
            "/tell/tickets/{correlation_id}": {"correlation_id": sold.correlation_id},
            "/media/audio/{movieId}": {"movieId": "the-general"},
            "/app/{path}": {"path": "app.js"},
            "/problems/{code}": {"code": "invalid-body"},
            **{f"/stream/{{token}}/{name}": access for name in PLAYLISTS},
            **{f"/stream/{{token}}/{{rendition}}.{kind}": stream for kind in ("m3u8", "mp4")},
        },
    }
    said = await broken_promises(str(town.tell.make_url("")).rstrip("/"), world)
    assert said == "", said
