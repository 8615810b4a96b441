"""The short way of a segment: a known token, an open file, a prepared head, one write.

It answers only what it understands beyond doubt, and as gateway/routes/files.py would answer it;
`None` sends the request there. What is counted, logged and traced is the same.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from aiohttp.helpers import rfc822_formatted_time

from gateway.delivery.heads import HeadReader
from gateway.delivery.open_files import OpenFiles
from gateway.delivery.passes import Passes
from gateway.delivery.request_lines import RequestLines
from gateway.metrics import Metrics

ROUTE = "/stream/{token}/{rendition}.mp4"
# More is sent piece by piece, as the reader takes it; a media segment has 48 kB.
MAX_BYTES = 128 * 1024


class Packet(NamedTuple):
    """An answer to send at once: a head, then *size* bytes of an open file from *first*."""

    head: bytes
    descriptor: int
    first: int
    size: int


class Courier:
    """Answers for all connections of a process, one after the other."""

    def __init__(
        self,
        passes: Passes,
        files: OpenFiles,
        clock: Callable[[], datetime],
        metrics: Metrics,
        lines: RequestLines,
    ) -> None:
        self._passes = passes
        self.files = files
        self._clock = clock
        self._lines = lines
        self._requests = metrics.requests.labels(ROUTE, "GET", "206")
        self._seconds = metrics.request_seconds.labels(ROUTE, "GET")
        self._metrics = metrics
        # Names lines of a log, and guards nothing.
        self._random = random.Random()  # noqa: S311

    def answer(self, data: bytes, reader: HeadReader, send: Callable[[Packet], None]) -> bool:
        """Answer the request *data* by *send*, or return False; *reader* is the connection's."""
        began = time.perf_counter()
        wanted = reader.read(data)
        if wanted is None:
            return False
        found = self._passes.find(wanted.token, self._clock())
        if found is None:
            return False
        parcel = found.parcels.get(wanted.rendition)
        if parcel is None:
            return False
        first, last = wanted.first, min(wanted.last, parcel.size_bytes - 1)
        size = last - first + 1
        if not 0 < size <= MAX_BYTES:
            return False
        file = self.files.get(parcel.path)
        if file is None or file.size_bytes != parcel.size_bytes:
            return False
        # Its end is there: then so is what lies before it, which was read ahead.
        if not file.is_near(last):
            return False
        request_id = f"{self._random.getrandbits(64):016x}"
        head = parcel.head % (
            size,
            first,
            last,
            request_id.encode(),
            rfc822_formatted_time().encode(),
        )
        send(Packet(head, file.descriptor, first, size))
        elapsed = time.perf_counter() - began
        self._requests.inc()
        self._seconds.observe(elapsed)
        self._metrics.count(self._metrics.media_bytes, parcel.name, size)
        traceparent = wanted.traceparent
        self._lines.write(
            request_id,
            None if traceparent is None else traceparent.decode("ascii"),
            route=ROUTE,
            path=parcel.shown_path,
            status=206,
            seconds=elapsed,
            size_bytes=size,
            correlation_id=found.correlation_id,
        )
        return True
