"""The log's lines of short ways: the same as any other request's, and many in one write."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

import structlog

from catalog.traceparent import read_traceparent, trace_id_of
from gateway.logs import MASK, LineHandler, masked_text

# The name under which every other request is logged.
_LOGGER = "gateway.middleware"
_FLUSH_S = 0.1
_MOST_LINES = 256
_NOT_REFUSED: Mapping[str, str] = MappingProxyType({})


class RequestLines:
    """Gathers lines of answered GETs, and writes them a tenth of a second later at most.

    Where logs go elsewhere than to a JSON stream of ours, each line takes the common way at once.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lines: list[str] = []
        self._flush: asyncio.TimerHandle | None = None
        self._handler: LineHandler | None = None
        self._logger = logging.getLogger(_LOGGER)
        self._log = structlog.get_logger(_LOGGER)

    def write(
        self,
        request_id: str,
        traceparent: str | None,
        *,
        route: str,
        path: str,
        status: int,
        seconds: float,
        size_bytes: int,
        correlation_id: str | None,
        refused: Mapping[str, str] = _NOT_REFUSED,
    ) -> None:
        """Note an answer that was sent; *path* holds no token.

        *traceparent* is the header as it came, *refused* the code and the reason of a refusal.
        """
        if not self._logger.isEnabledFor(logging.INFO):
            return
        # Most have none.
        parent = None if traceparent is None else read_traceparent(traceparent)
        trace_id = None if parent is None else trace_id_of(parent)
        if not self._lines:
            self._handler = _json_handler()
        if self._handler is None:
            more = {} if trace_id is None else {"trace_id": trace_id}
            self._log.info(
                "request",
                method="GET",
                route=route,
                path=path,
                status=status,
                duration_ms=round(seconds * 1000, 2),
                size_bytes=size_bytes,
                correlation_id=correlation_id,
                request_id=request_id,
                **refused,
                **more,
            )
            return
        # In UTC, as structlog writes it.
        now = self._clock()
        # By itself it leaves out microseconds where there are none.
        at = now.isoformat() if now.microsecond else now.isoformat(timespec="microseconds")
        at = at.removesuffix("+00:00")
        trace = "" if trace_id is None else f', "trace_id": "{trace_id}"'
        purchase = "null" if correlation_id is None else f'"{correlation_id}"'
        why = ""
        for name, text in refused.items():
            why += f'"{name}": {json.dumps(masked_text(text))}, '
        # Every other text in it is an id, a number or a constant: none needs escaping.
        self._lines.append(
            f'{{"method": "GET", "route": "{_shown(route)}", "path": "{path}", '
            f'"status": {status}, '
            f'"duration_ms": {seconds * 1000:.2f}, "size_bytes": {size_bytes}, '
            f'"correlation_id": {purchase}, {why}"event": "request", '
            f'"request_id": "{request_id}"'
            f'{trace}, "level": "info", '
            f'"logger": "{_LOGGER}", "timestamp": "{at}Z"}}\n'
        )
        if len(self._lines) >= _MOST_LINES:
            self.flush()
        elif self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(_FLUSH_S, self.flush)

    def flush(self) -> None:
        """Write what was gathered."""
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        if self._lines and self._handler is not None:
            self._handler.write_lines("".join(self._lines))
        self._lines.clear()


def _shown(route: str) -> str:
    """A route as the second fence of gateway/logs.py leaves it."""
    return route.replace("{token}", MASK)


def _json_handler() -> LineHandler | None:
    for handler in logging.getLogger().handlers:
        if isinstance(handler, LineHandler) and handler.json_lines:
            return handler
    return None
