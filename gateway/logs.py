"""Logs on stderr, one line each, with every secret taken out.

Routes never log a token, and `masked_path` keeps them out of paths. `scrub` is the second fence: it
goes over each finished line, so that a library's message or a traceback cannot carry one out.
"""

from __future__ import annotations

import logging
import re
import select
import sys
from contextlib import nullcontext
from typing import Any, TextIO

import structlog
from aiohttp.http import HttpProcessingError
from structlog.typing import EventDict, Processor, WrappedLogger

from gateway.settings import LoggingSettings

MASK = "[masked]"
_SECRETS = (
    # What media.tokens signs: <key id>~<fields>~<signature>.
    (re.compile(r"\b[a-z0-9]{1,8}~[^\s\"'<>/\\?#&]{6,}"), MASK),
    # Whatever stands where a token belongs, even one that is not ours.
    (re.compile(r"(/stream/)[^/\s\"'<>?#]+"), rf"\g<1>{MASK}"),
    # What signs an address (Amazon S3 API, "Authenticating Requests: Using Query Parameters").
    (
        re.compile(r"(?i)(X-Amz-(?:Signature|Credential|Security-Token)=)[^&\s\"'<>]+"),
        rf"\g<1>{MASK}",
    ),
    # RFC 6750 2.1.
    (re.compile(r"(?i)\b(bearer\s+)[^\s\"',]+"), rf"\g<1>{MASK}"),
    # Standard Webhooks 1.0: secrets and signatures.
    (re.compile(r"whsec_[A-Za-z0-9+/=_-]+"), MASK),
    (re.compile(r"\bv1a?,[A-Za-z0-9+/=_-]{8,}"), MASK),
)
# A text without any of these holds none of them, and most texts are so.
_SUSPECT = re.compile(r"~|/stream/|whsec_|\bv1a?,|(?i:x-amz-|bearer)")
# Longer parts of a path are taken for secrets: the longest id of ours has 64 characters, but an id
# of that length tells nothing that the route does not.
_MAX_SHOWN = 32
_PLAIN = re.compile(r"[A-Za-z0-9._-]+")
# At debug these repeat every statement with its parameters, or say nothing of use.
_QUIET = ("aiosqlite", "asyncio", "alembic", "sqlalchemy")


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes log lines to a stream; `json_lines` says whether each is a JSON object."""

    def __init__(self, stream: TextIO, *, json_lines: bool) -> None:
        super().__init__(stream)
        self.json_lines = json_lines

    def write_lines(self, lines: str) -> None:
        """Write finished lines, which hold no secret, in as few pieces as stay whole.

        Several processes may share a pipe, and only so much goes into it undivided (pipe(7)).
        """
        with self.lock or nullcontext():
            while lines:
                end = len(lines)
                if end > select.PIPE_BUF:
                    end = lines.rfind("\n", 0, select.PIPE_BUF) + 1 or lines.find("\n") + 1 or end
                self.stream.write(lines[:end])
                self.stream.flush()
                lines = lines[end:]


def configure_logging(settings: LoggingSettings, stream: TextIO = sys.stderr) -> None:
    """Send structlog and the standard library's logging through one chain to *stream*."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Plain text without the frames' variables: these hold tokens.
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    render: Processor = (
        structlog.processors.JSONRenderer()
        if settings.format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    handler = LineHandler(stream, json_lines=settings.format == "json")
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                scrub,
                render,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("aiohttp.server").addFilter(without_noise)


def without_noise(record: logging.LogRecord) -> bool:
    """Let a client that speaks no HTTP be one quiet line: the library writes a traceback for it.

    Anyone can send such bytes, as often as they like. Who hangs up before the answer's end has a
    line already, with the status 499. A bug keeps its traceback.
    """
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, ConnectionError):
        return False
    if isinstance(error, HttpProcessingError):
        record.msg, record.args, record.exc_info = f"no_http: {type(error).__name__}", (), None
        record.levelno, record.levelname = logging.INFO, "INFO"
    return True


def scrub(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Mask every secret in the strings of a log record."""
    return {key: _scrubbed(value) for key, value in event.items()}


def masked_text(text: str) -> str:
    """*text* with everything masked that has the form of a secret of ours."""
    if _SUSPECT.search(text) is None:
        return text
    for pattern, mask in _SECRETS:
        text = pattern.sub(mask, text)
    return text


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, dict):
        return {key: _scrubbed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _scrubbed(repr(value))


def masked_path(path: str) -> str:
    """*path* with each part masked that could be a token; of `/stream/` always the second."""
    parts = path.split("/")
    shown = [
        part if part == "" or (len(part) <= _MAX_SHOWN and _PLAIN.fullmatch(part)) else MASK
        for part in parts
    ]
    if len(shown) > 2 and shown[1] == "stream":
        shown[2] = MASK
    return "/".join(shown)
