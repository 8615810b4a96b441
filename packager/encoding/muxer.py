"""From packets to the rendition's file: one init segment, one sidx, fragments on the common grid.

The length is known beforehand, so the sidx's place is kept free and filled in at the end: one pass,
and memory for the index alone.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from media.errors import TrackFormatError
from media.grid import FRAGMENT_SAMPLES, SEGMENT_SAMPLES
from media.track import Loudness, Piece, group_segments
from packager.encoding.boxes import (
    file_type,
    media_data_header,
    movie_fragment,
    movie_header,
    segment_index,
    segment_index_size,
)
from packager.encoding.ladder import Rung
from packager.encoding.packets import PacketRun


class Muxer:
    """Takes packets and writes *path*: a context manager that closes the file.

    Raises TrackFormatError where the packets are not those that were promised, and OSError where
    the disk is full. Writes are a few kilobytes into the page cache, so they are not handed to a
    thread.
    """

    def __init__(
        self,
        path: Path,
        rung: Rung,
        length_samples: int,
        language: str,
        loudness: Loudness,
    ) -> None:
        self._rung = rung
        self._length_samples = length_samples
        self._language = language
        self._loudness = loudness
        self._file = path.open("xb")
        self._sidx_offset = 0
        self._sizes: list[int] = []
        self._data = bytearray()
        self._fragments: list[Piece] = []
        self._written_samples = 0

    def __enter__(self) -> Muxer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def samples(self) -> int:
        """How many samples it was given."""
        return self._written_samples + len(self._sizes) * self._rung.packet_samples

    def add(self, packets: PacketRun) -> None:
        """Take the next packets; the first bring what the init segment says."""
        if not self._sidx_offset:
            self._begin(packets.moov)
        if packets.decode_time != self.samples:
            raise TrackFormatError(
                self._rung.name,
                f"the encoder's packet at {packets.decode_time} stands where {self.samples} must",
            )
        self._sizes += packets.sizes
        self._data += packets.data
        whole = FRAGMENT_SAMPLES // self._rung.packet_samples
        while len(self._sizes) >= whole:
            self._write_fragment(whole)

    def finish(self) -> None:
        """Write what is left and the sidx; TrackFormatError where the length is not as promised."""
        if self._sizes:
            self._write_fragment(len(self._sizes))
        if not self._sidx_offset or self.samples != self._length_samples:
            raise TrackFormatError(
                self._rung.name,
                f"has {self.samples} samples instead of {self._length_samples}",
            )
        self._file.seek(self._sidx_offset)
        self._file.write(segment_index(group_segments(tuple(self._fragments))))
        # Here and not in close(), so that a full disk is an error of this file's.
        self._file.flush()

    def _begin(self, encoder_moov: bytes) -> None:
        self._file.write(file_type())
        self._file.write(
            movie_header(
                encoder_moov,
                self._length_samples,
                self._language,
                self._rung.name,
                self._loudness,
            )
        )
        self._sidx_offset = self._file.tell()
        segments = -(-self._length_samples // SEGMENT_SAMPLES)
        self._file.write(bytes(segment_index_size(segments)))

    def _write_fragment(self, packets: int) -> None:
        sizes = self._sizes[:packets]
        size = sum(sizes)
        moof = movie_fragment(
            len(self._fragments) + 1,
            self._written_samples,
            self._rung.packet_samples,
            sizes,
            opus=self._rung.codec == "opus",
        )
        offset = self._file.tell()
        self._file.write(moof + media_data_header(size))
        self._file.write(self._data[:size])
        del self._sizes[:packets]
        del self._data[:size]
        samples = packets * self._rung.packet_samples
        self._fragments.append(Piece(offset, len(moof) + 8 + size, samples))
        self._written_samples += samples
