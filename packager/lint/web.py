"""Loads a stream from any server, as a player would: playlists, init segments, byte ranges."""

from __future__ import annotations

from packager.errors import FetchError, LintTargetError
from packager.lint.answers import Answer, shown
from packager.lint.fetch import Client
from packager.lint.playlist import MediaPlaylist, MultivariantPlaylist, Playlist, Segment
from packager.lint.presentation import (
    InitReading,
    Presentation,
    Reading,
    SegmentReading,
    Unreachable,
)
from packager.lint.reading import (
    chosen,
    index_range,
    index_reading,
    init_reading,
    segment_reading,
)
from packager.lint.values import ByteRange

# A server that has lost three media segments of a film has lost it.
_MOST_MISSES = 3


async def load_url(
    url: str, *, most_segments: int | None = None, timeout_s: float = 30.0
) -> Presentation:
    """Everything that the playlist at *url* leads to, Multivariant or Media Playlist.

    At most *most_segments* of each Media Playlist are read, spread over the film; None reads all.
    *timeout_s* holds for each request. Raises LintTargetError where *url* itself is no playlist;
    what it names and cannot be had is `unreachable`.
    """
    async with Client(timeout_s) as client:
        try:
            first = await client.playlist(url)
        except FetchError as error:
            raise LintTargetError(error.where, error.what) from error
        return await _Loader(client, most_segments).load(first)


class _Loader:
    def __init__(self, client: Client, most_segments: int | None) -> None:
        self._client = client
        self._most = most_segments
        self._unreachable: list[Unreachable] = []

    async def load(self, first: MediaPlaylist | MultivariantPlaylist) -> Presentation:
        media: dict[str, MediaPlaylist] = {}
        multivariants: tuple[MultivariantPlaylist, ...] = ()
        if isinstance(first, MultivariantPlaylist):
            multivariants = (first,)
            for url, line in first.referenced():
                playlist = await self._named(url, first, line)
                if playlist is not None:
                    media[url] = playlist
        else:
            media[first.url] = first
        readings = {url: await self._reading(playlist) for url, playlist in media.items()}
        return Presentation(multivariants, media, readings, tuple(self._unreachable))

    async def _named(self, url: str, by: Playlist, line: int) -> MediaPlaylist | None:
        try:
            playlist = await self._client.playlist(url)
        except FetchError as error:
            self._miss(by, line, error)
            return None
        if isinstance(playlist, MultivariantPlaylist):
            what = f"{shown(url)} is a Multivariant Playlist, not a Media Playlist"
            self._unreachable.append(Unreachable(by.name, line, what))
            return None
        return playlist

    async def _reading(self, playlist: MediaPlaylist) -> Reading:
        segments = await self._segments(playlist)
        index = None
        if (place := index_range(playlist)) is not None:
            try:
                answer, data = await self._client.media(place[0], ByteRange(place[2], place[1]))
                index = index_reading(data) if answer.status in {200, 206} else None
            except FetchError as error:
                self._miss(playlist, None, error)
        return Reading(
            await self._init(playlist), tuple(segments), index, await self._open_range(playlist)
        )

    async def _segments(self, playlist: MediaPlaylist) -> list[SegmentReading | None]:
        """One after the other, until the server shows that the rest would go the same way."""
        segments: list[SegmentReading | None] = [None] * len(playlist.segments)
        misses = 0
        for number in sorted(chosen(len(segments), self._most)):
            segment = playlist.segments[number]
            found = segments[number] = await self._segment(playlist, segment)
            misses += found is None
            whole = found is not None and found.answer is not None and found.answer.status == 200
            # A film for each segment is too much to read, and time-outs are too long to wait for.
            if misses == _MOST_MISSES or (whole and segment.range is not None):
                break
        return segments

    async def _init(self, playlist: MediaPlaylist) -> InitReading | None:
        init = playlist.segments[0].map if playlist.segments else None
        if init is None or init.url is None:
            return None
        try:
            answer, data = await self._client.media(init.url, init.range)
        except FetchError as error:
            self._miss(playlist, init.line, error)
            return None
        return init_reading(data, answer)

    async def _segment(self, playlist: MediaPlaylist, segment: Segment) -> SegmentReading | None:
        try:
            answer, data = await self._client.media(segment.url, segment.range)
        except FetchError as error:
            self._miss(playlist, segment.line, error)
            return None
        return segment_reading(data, answer)

    async def _open_range(self, playlist: MediaPlaylist) -> Answer | None:
        """Ask from the last segment on without an end, as Chromium's own HLS does."""
        last = playlist.segments[-1] if playlist.segments else None
        if last is None or last.range is None or last.range.offset is None:
            return None
        try:
            return await self._client.open_range(last.url, last.range.offset)
        except FetchError as error:
            self._miss(playlist, last.line, error)
            return None

    def _miss(self, by: Playlist, line: int | None, error: FetchError) -> None:
        self._unreachable.append(Unreachable(by.name, line, f"{error.where}: {error.what}"))
