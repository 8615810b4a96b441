"""How a server answered, as far as rules ask; and how an address is shown without its token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. Header names are in lower case; `redirects` are the statuses on the way to it.

    `wanted` is the byte range that was asked for, as first and last byte, the last one None where
    it was left open; `size` is the body's on the wire.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    size: int
    wanted: tuple[int, int | None] | None = None
    redirects: tuple[int, ...] = field(default=())

    @property
    def media_type(self) -> str:
        """Content-Type without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def cache_control(self) -> frozenset[str]:
        """Directives of Cache-Control, in lower case (RFC 9111 5.2)."""
        value = self.headers.get("cache-control", "")
        return frozenset(part.strip().lower() for part in value.split(",") if part.strip())


def shown(url: str) -> str:
    """Address for a finding: its host and last part; what lies between may hold a token."""
    parts = urlsplit(url)
    folder, _, name = parts.path.rpartition("/")
    between = "/…/" if folder else "/"
    return f"{parts.scheme}://{parts.netloc}{between}{name}" if parts.netloc else name
