"""Whatever bytes a server sends, the linter reports and does not fall over."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.errors import TrackFormatError
from media.track import Track
from packager.lint.boxes import read_index, read_init, read_segment
from packager.lint.parsing import read_playlist
from packager.lint.playlist import MediaPlaylist
from packager.lint.presentation import Presentation
from packager.lint.reading import chosen
from packager.lint.run import check
from tests.packager.lint.stand import PREFIX, Stand

# The same track for every example: it is only read.
_SHARED = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_WORDS = (
    b"#EXTM3U", b"#EXTINF:", b"#EXT-X-MAP:URI=", b'"', b",", b"@", b"\n", b"\r\n", b"=", b"-1",
    b"#EXT-X-BYTERANGE:", b"#EXT-X-START:TIME-OFFSET=", b"#EXT-X-STREAM-INF:", b"9" * 30,
    b"#EXT-X-PROGRAM-DATE-TIME:", b"#EXT-X-MEDIA:TYPE=AUDIO", b"#EXT-X-TARGETDURATION:", b" ",
    b"//[", b"\xff", b"\0", b".", b"1/0", b"9" * 5000, "\u0663".encode(), b"1e400", b"nan",
)  # fmt: skip


# Where (in thousandths of the whole), how many bytes go, and what comes in their place.
_EDITS = st.lists(
    st.tuples(
        st.integers(0, 1000),
        st.integers(0, 12),
        st.sampled_from(_WORDS) | st.binary(max_size=6),
    ),
    max_size=6,
)
_NAMES = ("main.m3u8", "opus.m3u8", "aac-64k.m3u8", "now.m3u8")


def edited(content: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    """The content with all of the edits."""
    text = bytearray(content)
    for place, gone, new in edits:
        at = len(text) * place // 1000
        text[at : at + gone] = new
    return bytes(text)


@_SHARED
@given(name=st.sampled_from(_NAMES), edits=_EDITS)
def test_a_playlist_of_any_text_is_reported(
    stand: Stand, name: str, edits: list[tuple[int, int, bytes]]
) -> None:
    """Words of the grammar in wrong places, numbers without end, bytes that are no text."""
    text = edited(stand.texts[name], edits)
    playlist = read_playlist(f"http://tell.example{PREFIX}/{name}", text)
    if isinstance(playlist, MediaPlaylist):
        presentation = Presentation((), {playlist.url: playlist}, {})
    else:
        presentation = Presentation((playlist,), {}, {})
    report = check(name, [presentation])
    assert report.text().endswith("read\n")
    assert report.json()


@_SHARED
@given(edits=_EDITS, codec=st.sampled_from(["aac-64k", "opus-24k"]), share=st.integers(500, 1000))
def test_a_file_of_any_bytes_is_reported(
    published: tuple[Track, Path],
    stand: Stand,
    edits: list[tuple[int, int, bytes]],
    codec: str,
    share: int,
) -> None:
    """Boxes with wrong sizes and cut fields raise the one error that a reading is made of."""
    rendition = published[0].rendition(codec)
    assert rendition is not None
    content = stand.files[rendition.file_name]
    begin, end = rendition.init.size, rendition.fragments[0].offset
    first = rendition.segments[0]
    readers: tuple[tuple[bytes, Callable[[bytes], object]], ...] = (
        (content[:begin], read_init),
        (content[begin:end], read_index),
        # Its boxes are at its beginning; what comes after is sound.
        (content[first.offset : first.offset + 1000], read_segment),
    )
    for part, read in readers:
        data = edited(part, edits)
        with contextlib.suppress(TrackFormatError):
            read(data[: len(data) * share // 1000])


@given(segments=st.integers(0, 3000), most=st.integers(1, 100))
def test_a_choice_of_segments_has_both_ends(segments: int, most: int) -> None:
    """As many as may be read, the first and (of two or more) the last among them."""
    picked = chosen(segments, most)
    assert len(picked) == min(segments, most)
    if segments:
        assert 0 in picked
    if segments and most > 1:
        assert segments - 1 in picked
