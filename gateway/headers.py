"""Headers that several places must write alike: those of every answer, and those of a file."""

from __future__ import annotations

import base64

from gateway.ranges import Selection
from media.track import Rendition

MEDIA_TYPE = "audio/mp4"

EVERY_ANSWER = {
    # Which library and version answers is nobody's business (RFC 9110 10.2.4).
    "Server": "Tell",
    "X-Content-Type-Options": "nosniff",
    # Tokens stand in paths: no page that we link to may learn them.
    "Referrer-Policy": "no-referrer",
}
# Where an answer says nothing else. For all that is no page: nothing in it may run or be framed
# (CSP Level 3).
UNLESS_SAID = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def file_headers(rendition: Rendition, selection: Selection) -> dict[str, str]:
    """What an answer says of a rendition's file and of the part that is sent."""
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


def edge_headers(mode: str) -> dict[str, str]:
    """What a file's answer says to the edge of `delivery.mode`: that it may keep it for everybody.

    To no other cache, and only where the edge verifies the token of each request (RFC 9213 2.2).
    """
    return {"CDN-Cache-Control": "public, max-age=31536000, immutable"} if mode == "cdn" else {}


def decision_headers(track: str, kept_s: str, *vary: str) -> dict[str, str]:
    """What a decision says to the nginx that asks: the track's folder, and how long it holds."""
    return {
        "X-Tell-Track": track,
        # Whole seconds; 0 is not to be kept. For nginx it stands above Cache-Control
        # (ngx_http_proxy_module, proxy_cache_valid).
        "X-Accel-Expires": kept_s,
        **private_headers(*vary),
    }


def private_headers(*vary: str, packed: bool = False) -> dict[str, str]:
    """What an answer says that is of the moment and holds tokens: nobody may keep it.

    *vary* names the headers that chose its form (RFC 9110 12.5.5).
    """
    headers = {"Cache-Control": "private, no-store"}
    if vary:
        headers["Vary"] = ", ".join(vary)
    if packed:
        headers["Content-Encoding"] = "gzip"
    return headers
