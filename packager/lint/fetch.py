"""One client for all requests of a lint: bodies as they are on the wire, redirects by hand."""

from __future__ import annotations

import zlib
from types import TracebackType
from urllib.parse import urljoin

import aiohttp
from yarl import URL

from packager.errors import FetchError
from packager.lint.answers import Answer, shown
from packager.lint.parsing import read_playlist
from packager.lint.playlist import MediaPlaylist, MultivariantPlaylist
from packager.lint.values import ByteRange

_MOST_REDIRECTS = 5
# A playlist of ten hours has 0.5 MB, a media segment of six seconds rarely more than 0.3.
_MOST_BYTES = 64 << 20
_BLOCK_BYTES = 1 << 16
# zlib's window of 32 kB, with the header and the trailer of gzip (RFC 1952).
_GZIP = 16 + zlib.MAX_WBITS


class Client:
    """One connection pool; bodies as they are on the wire, redirects followed by hand."""

    def __init__(self, timeout_s: float) -> None:
        self._session = aiohttp.ClientSession(
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=timeout_s),
        )

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def playlist(self, url: str) -> MediaPlaylist | MultivariantPlaylist:
        """Playlist at *url*; its URIs start from where a redirect led to (RFC 3986 5.1.3)."""
        answer, body = await self._get(url, {"Accept-Encoding": "gzip"}, None)
        if answer.status != 200:
            raise FetchError(shown(url), f"answers {answer.status}")
        encoding = answer.headers.get("content-encoding", "identity").lower()
        if encoding in {"gzip", "x-gzip"}:
            body = _unpacked(body, url)
        elif encoding != "identity":
            raise FetchError(shown(url), f"is packed as {encoding}, which was not asked for")
        if not body.lstrip(b"\xef\xbb\xbf").startswith(b"#EXT"):
            raise FetchError(shown(url), "is no playlist: it does not begin with #EXTM3U")
        return read_playlist(answer.url, body, answer)

    async def media(self, url: str, byte_range: ByteRange | None) -> tuple[Answer, bytes]:
        """Bytes of an init or media segment; a 200 to a range is cut to it, so that one reads on.

        An answer without the bytes is an error for the caller; a wrong 206 is for the rules.
        """
        wanted = None
        if byte_range is not None:
            start = byte_range.offset or 0
            wanted = (start, start + byte_range.size - 1)
        answer, body = await self._get(url, {"Accept-Encoding": "identity"}, wanted)
        if answer.status not in {200, 206}:
            raise FetchError(shown(url), f"answers {answer.status}")
        if answer.status == 200 and wanted is not None:
            body = body[wanted[0] : wanted[1] + 1]
        return answer, body

    async def open_range(self, url: str, start: int) -> Answer:
        """Answer to `bytes=<start>-`."""
        answer, _ = await self._get(url, {"Accept-Encoding": "identity"}, (start, None))
        return answer

    async def _get(
        self, url: str, headers: dict[str, str], wanted: tuple[int, int | None] | None
    ) -> tuple[Answer, bytes]:
        if wanted is not None:
            last = "" if wanted[1] is None else str(wanted[1])
            headers = {**headers, "Range": f"bytes={wanted[0]}-{last}"}
        redirects: list[int] = []
        try:
            while True:
                # As written: a token must not be escaped anew.
                target = URL(url, encoded=True)
                async with self._session.get(
                    target, headers=headers, allow_redirects=False
                ) as response:
                    location = response.headers.get("Location")
                    if response.status in {301, 302, 303, 307, 308} and location is not None:
                        redirects.append(response.status)
                        if len(redirects) > _MOST_REDIRECTS:
                            raise FetchError(
                                shown(url), f"redirects more than {_MOST_REDIRECTS} times"
                            )
                        url = urljoin(url, location)
                        continue
                    body = bytearray()
                    async for block in response.content.iter_chunked(_BLOCK_BYTES):
                        body += block
                        if len(body) > _MOST_BYTES:
                            raise FetchError(shown(url), f"is larger than {_MOST_BYTES} bytes")
                    found = {name.lower(): value for name, value in response.headers.items()}
                    status, size = response.status, len(body)
                    answer = Answer(url, status, found, size, wanted, tuple(redirects))
                    return answer, bytes(body)
        except aiohttp.ClientConnectorError as error:
            raise FetchError(shown(url), f"cannot be reached: {error.os_error.strerror}") from error
        except aiohttp.ClientError as error:
            # Its text may hold the address, and so a token.
            raise FetchError(shown(url), f"cannot be reached: {type(error).__name__}") from error
        except (TimeoutError, ValueError) as error:
            raise FetchError(shown(url), f"gave no answer: {type(error).__name__}") from error


def _unpacked(body: bytes, url: str) -> bytes:
    """A gzip body (RFC 9110 8.4.1.3); raises FetchError for a damaged or an endless one."""
    unpacker = zlib.decompressobj(_GZIP)
    try:
        unpacked = unpacker.decompress(body, _MOST_BYTES)
    except zlib.error as error:
        raise FetchError(shown(url), f"its gzip does not unpack: {error}") from error
    if not unpacker.eof:
        raise FetchError(shown(url), "its gzip is cut off, or larger than any playlist")
    return unpacked
