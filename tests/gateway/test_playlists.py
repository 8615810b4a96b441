"""Packed playlists: put together from a kept part and the part of the moment."""

from __future__ import annotations

import gzip
import random
import zlib
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.playlists import MediaPlaylists, packed_text
from media import hls
from media.track import Track
from tests.gateway.town import NOW


def opening(position_s: float) -> Any:
    """What a playlist needs of an opening."""
    return SimpleNamespace(position_s=position_s, zero_at=NOW + timedelta(seconds=2.5))


def test_a_packed_playlist_is_one_gzip_member_of_the_whole_text(track: Track) -> None:
    """Unpacked by strict readers: one member, right checksum and length, nothing behind it."""
    chance = random.Random(5)  # noqa: S311  (the same places each time)
    playlists = MediaPlaylists(limit=2)
    for rendition in (*track.renditions, *track.renditions):
        for position_s in (0.0, chance.uniform(0, 9999), 123456.789):
            at = cast("Any", opening(position_s))
            wanted = hls.media_playlist(track, rendition, position_s, at.zero_at).encode()
            assert playlists.body(at, rendition, packed=False) == wanted
            packed = playlists.body(at, rendition, packed=True)
            one = zlib.decompressobj(zlib.MAX_WBITS | 16)
            assert one.decompress(packed) == wanted
            assert one.eof
            assert one.unused_data == b""
            assert gzip.decompress(packed) == wanted
            assert len(packed) < len(wanted)


@pytest.mark.parametrize("characters", [0, 1, 700, 4096, 4097, 70_000])
def test_a_text_is_packed_to_one_gzip_member(characters: int) -> None:
    """Small ones with a small window, large ones as usual: each strict reader has the same text."""
    chance = random.Random(6)  # noqa: S311  (the same text each time)
    text = "".join(chance.choices("abcé\n/stream", k=characters))
    one = zlib.decompressobj(zlib.MAX_WBITS | 16)
    packed = packed_text(text, packed=True)
    assert one.decompress(packed) == text.encode()
    assert one.eof
    assert one.unused_data == b""
    assert packed == packed_text(text, packed=True), "of no time"
    assert packed_text(text, packed=False) == text.encode()
