"""Pages of other origins that may read the sound and its playlists (Fetch 3.2). Pure.

No origin may unless config.toml names it. What may be read is what a player needs: the grant, the
playlists, the files and the clock.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

# RFC 6454 6.2, of a page: a scheme, a host in lower case as browsers write it, and no path.
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
SHARED = ("/media/audio/", "/stream/", "/time")
# What a script may not read of an answer unless it is named here (Fetch 4.5).
_EXPOSED = (
    "Accept-Ranges, Content-Length, Content-Range, Date, ETag, Repr-Digest, Retry-After, "
    "X-Request-Id"
)
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "Authorization, If-None-Match, If-Range, Range, traceparent",
    # Two hours, the longest that Chromium keeps one.
    "Access-Control-Max-Age": "7200",
    "Cache-Control": "no-store",
}


def check_origin(text: str) -> str:
    """Return an origin of config.toml; raises ValueError with the mend."""
    if _ORIGIN.fullmatch(text) is None:
        raise ValueError(f"{text[:80]!r} is no origin; write https://player.example")
    return text


def sharing_headers(origin: str | None, path: str, allowed: Collection[str]) -> Mapping[str, str]:
    """What an answer to a page of *origin* says beside all else; nothing where it may not read.

    Timing-Allow-Origin lets a player measure the network by each segment (Resource Timing 4.5).
    """
    if origin is None or origin not in allowed or not path.startswith(SHARED):
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": _EXPOSED,
        "Timing-Allow-Origin": origin,
    }
