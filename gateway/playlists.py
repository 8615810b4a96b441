"""Writing and sending playlists: packed where the client takes it, and stored nowhere.

The segments of a Media Playlist are the same for everybody: they are written and packed once. What
is of the moment stands before them: two gzip members in a row are one gzip file (RFC 1952 2.2), but
not every client reads on behind the first. So the small part is put in front as a block of its own
in the same deflate stream (RFC 1951 3.2), which every one reads, and stored as it is: packing it
would save 150 bytes of 8 kB, and take longer than all the rest.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections import OrderedDict
from typing import Literal, NamedTuple

from aiohttp import web

from gateway.grants import Opening
from gateway.headers import private_headers
from gateway.negotiation import accepts_gzip
from media import hls
from media.track import Rendition

# A two-hour playlist shrinks from 70 to 8 kB in half a millisecond; higher levels gain nothing.
_GZIP_LEVEL = 6
# What chooses the order of a Multivariant Playlist, beside the encoding.
MULTIVARIANT_VARY = ("Save-Data",)
# What is packed once may take its time.
_KEPT_LEVEL = 9
# Six renditions of each film of an evening; about 90 kB each.
_KEPT = 128
# What packing begins with takes longer than a small text: so the window is no larger than one, and
# what is looked up in is small (zlib's deflateInit2). 16 asks for gzip.
_SMALL = 4096
_SMALL_WINDOW = 16 + 12
_SMALL_MEMORY = 5
# The header of RFC 1952 2.3: deflate, no name, no time.
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_POLYNOMIAL = 0xEDB88320


class _Segments(NamedTuple):
    """The part that stays: as it is, packed, and what its checksum needs."""

    plain: bytes
    packed: bytes
    crc32: int


class MediaPlaylists:
    """Media Playlists; what never changes is kept, for the renditions that were asked for last."""

    def __init__(self, limit: int = _KEPT) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, _Segments] = OrderedDict()
        self._crc = _CrcJoiner()

    def body(self, opening: Opening, rendition: Rendition, *, packed: bool) -> bytes:
        """The Media Playlist of the moment, as gzip where it is to be *packed*."""
        head = hls.media_playlist_head(rendition, opening.position_s, opening.zero_at).encode()
        rest = self._segments(rendition)
        if not packed:
            return head + rest.plain
        # A stored block that is not the last: RFC 1951 3.2.4.
        first = struct.pack("<BHH", 0, len(head), len(head) ^ 0xFFFF) + head
        crc32 = self._crc.join(zlib.crc32(head), rest.crc32, len(rest.plain))
        size = (len(head) + len(rest.plain)) & 0xFFFFFFFF
        return _GZIP_HEADER + first + rest.packed + struct.pack("<II", crc32, size)

    def _segments(self, rendition: Rendition) -> _Segments:
        # The digest names the file, and the file its segments.
        key = f"{rendition.sha256}/{rendition.name}"
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        plain = hls.media_playlist_segments(rendition).encode()
        deflate = zlib.compressobj(_KEPT_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        kept = _Segments(plain, deflate.compress(plain) + deflate.flush(), zlib.crc32(plain))
        self._kept[key] = kept
        if len(self._kept) > self._limit:
            self._kept.popitem(last=False)
        return kept


class _CrcJoiner:
    """The CRC-32 of two texts in a row, from theirs alone (as zlib's crc32_combine).

    Behind `length` zero bytes a checksum is a linear map of 32 bits of the one before: a table of
    32 numbers, which is made once for each length.
    """

    def __init__(self) -> None:
        self._maps: OrderedDict[int, list[int]] = OrderedDict()

    def join(self, first: int, second: int, second_length: int) -> int:
        """CRC-32 of both, where the second is *second_length* bytes long."""
        table = self._maps.get(second_length)
        if table is None:
            table = self._maps[second_length] = _map_of_zeros(second_length)
            if len(self._maps) > _KEPT:
                self._maps.popitem(last=False)
        return _apply(table, first) ^ second


def _map_of_zeros(length: int) -> list[int]:
    """What *length* zero bytes make of each single bit of a checksum."""
    # One zero bit: shift, and take the polynomial out.
    one = [_POLYNOMIAL, *(1 << bit for bit in range(31))]
    power = _squared(_squared(_squared(one)))
    result = [1 << bit for bit in range(32)]
    while length:
        if length & 1:
            result = [_apply(power, column) for column in result]
        power = _squared(power)
        length >>= 1
    return result


def _squared(table: list[int]) -> list[int]:
    return [_apply(table, column) for column in table]


def _apply(table: list[int], bits: int) -> int:
    result = 0
    while bits:
        low = bits & -bits
        result ^= table[low.bit_length() - 1]
        bits ^= low
    return result


def multivariant(opening: Opening, codec: Literal["aac", "opus"], stream_token: str) -> str:
    """Multivariant Playlist of one codec at the present position.

    Raises RenditionNotFoundError where the track has no rendition of it: no player understands an
    empty playlist.
    """
    names = [rendition.name for rendition in opening.renditions(codec)]
    return hls.multivariant_playlist(
        opening.track, codec, stream_token, opening.position_s, renditions=names
    )


def packed_text(text: str, *, packed: bool) -> bytes:
    """A small playlist as it is sent, as gzip where it is to be *packed*."""
    body = text.encode()
    if not packed:
        return body
    if len(body) > _SMALL:
        return gzip.compress(body, _GZIP_LEVEL, mtime=0)
    deflate = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _SMALL_WINDOW, _SMALL_MEMORY)
    return deflate.compress(body) + deflate.flush()


def playlist_response(request: web.Request, text: str, media_type: str, *vary: str) -> web.Response:
    """Answer with *text*; *vary* names what chose it, beside the encoding."""
    packed = accepts_gzip(request.headers.get("Accept-Encoding"))
    return _response(packed_text(text, packed=packed), media_type, *vary, packed=packed)


def media_playlist_response(
    request: web.Request, playlists: MediaPlaylists, opening: Opening, rendition: Rendition
) -> web.Response:
    """Answer with the Media Playlist of *rendition* at the present position."""
    packed = accepts_gzip(request.headers.get("Accept-Encoding"))
    body = playlists.body(opening, rendition, packed=packed)
    return _response(body, hls.MEDIA_TYPE, packed=packed)


def _response(body: bytes, media_type: str, *vary: str, packed: bool) -> web.Response:
    headers = private_headers(*vary, "Accept-Encoding", packed=packed)
    return web.Response(body=body, content_type=media_type, headers=headers)
