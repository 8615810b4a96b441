"""Logs: one JSON object a line, with every secret taken out."""

from __future__ import annotations

import io
import json
import logging
import select
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import structlog
from aiohttp.http_exceptions import BadStatusLine

from catalog.keys.webhooks import sign_webhook
from gateway.logs import MASK, LineHandler, configure_logging, masked_path, masked_text
from gateway.settings import LoggingSettings
from media.tokens import Keyring, StreamClaims, Tokens

TOKENS = Tokens(Keyring([("k1", bytes(32))]))
CLAIMS = StreamClaims("a" * 20, 7, "one-week", "en", "0" * 16, datetime(2030, 1, 1, tzinfo=UTC))
SECRETS = {
    "claim code": TOKENS.claim_code("a" * 20),
    "listener token": TOKENS.listener_token("b" * 26),
    "access token": TOKENS.access_token(CLAIMS),
    "stream token": TOKENS.stream_token(CLAIMS),
    "webhook secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "webhook signature": sign_webhook(bytes(24), "msg_1", 1, b"{}"),
}


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Where logs go during a test; the logging of before comes back after it."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logging(LoggingSettings(level="debug"), stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
def test_no_secret_gets_into_a_line(lines: io.StringIO, secret: str) -> None:
    """Not as a value, inside a text, in a list, in a traceback or in another library's message."""
    log = structlog.get_logger("test")
    log.info("value", one=secret, many=[secret, {"deep": f"/x/{secret}/y"}], text=f"a {secret}, b")
    log.info(f"in the event {secret}")
    try:
        int(f"https://tell.example/listen#{secret}")
    except ValueError:
        log.exception("traceback")
    logging.getLogger("library").warning("GET /stream/%s/main.m3u8?x=%s", secret, secret)
    text = lines.getvalue()
    assert len(text.splitlines()) == 4
    assert MASK in text
    assert secret not in text
    # Nor its signature alone.
    assert secret[-24:] not in text


@pytest.mark.parametrize(
    "text",
    [
        "k1~secret-fields",
        "/stream/secret",
        "?x-AMZ-signature=secret",
        "X-Amz-Security-Token=secret&x",
        "BEARER  secret",
        "whsec_secret",
        "(v1,secret-secret)",
        "v1a,secret-secret",
    ],
)
def test_every_form_of_a_secret_is_looked_for(text: str) -> None:
    """Most texts are passed by a glance, and none of these."""
    assert "secret" not in masked_text(text)
    assert MASK in masked_text(f"a text around {text}")


def test_a_line_is_one_json_object(lines: io.StringIO) -> None:
    """With time, level and the event, newlines and quotes in values included."""
    structlog.get_logger("test").info("event", text='a\n"b"', number=3, none=None)
    (line,) = lines.getvalue().splitlines()
    record = json.loads(line)
    assert record["event"] == "event"
    assert record["level"] == "info"
    assert record["text"] == 'a\n"b"'
    assert record["number"] == 3
    assert record["timestamp"].endswith("Z")


def test_a_client_that_speaks_no_http_is_one_quiet_line(lines: io.StringIO) -> None:
    """The library's traceback for it is dropped; that of a bug stays."""
    log = logging.getLogger("aiohttp.server")
    for error in (BadStatusLine("GET nonsense"), ValueError("a bug")):
        log.error("Error handling request", exc_info=error)
    noise, bug = (json.loads(line) for line in lines.getvalue().splitlines())
    assert noise["event"] == "no_http: BadStatusLine"
    assert noise["level"] == "info"
    assert "exception" not in noise
    assert "Traceback" not in noise
    assert "a bug" in bug["exception"]


def test_ids_stay_readable(lines: io.StringIO) -> None:
    """A correlation_id names a purchase and is no secret."""
    structlog.get_logger("test").info("event", correlation_id="a2" * 10, route="/stream/{token}/x")
    record = json.loads(lines.getvalue())
    assert record["correlation_id"] == "a2" * 10


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "/"),
        ("/tell/tickets", "/tell/tickets"),
        ("/stream/short/main.m3u8", f"/stream/{MASK}/main.m3u8"),
        (f"/stream/{SECRETS['stream token']}/aac-64k.mp4", f"/stream/{MASK}/aac-64k.mp4"),
        (f"/strem/{SECRETS['stream token']}/x", f"/strem/{MASK}/x"),
        (f"/{'x' * 33}", f"/{MASK}"),
        ("/a%20b/c", f"/{MASK}/c"),
    ],
)
def test_a_path_shows_only_what_cannot_be_a_token(path: str, expected: str) -> None:
    """Even a path that no route has."""
    assert masked_path(path) == expected


class Pieces(io.StringIO):
    """Notes what was written in one go."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[str] = []

    def write(self, text: str) -> int:
        """Write, and note."""
        self.all.append(text)
        return super().write(text)


def test_many_lines_go_out_in_pieces_that_a_pipe_keeps_whole() -> None:
    """Workers share one: what is longer may be mixed with another's (pipe(7), PIPE_BUF)."""
    stream = Pieces()
    lines = [f"{number:05d} {'x' * (number % 700)}\n" for number in range(300)]
    # One that is too long for any pipe goes alone.
    lines.insert(150, "y" * (2 * select.PIPE_BUF) + "\n")
    LineHandler(stream, json_lines=True).write_lines("".join(lines))
    assert stream.getvalue() == "".join(lines)
    assert all(piece.endswith("\n") for piece in stream.all)
    assert [piece for piece in stream.all if len(piece) > select.PIPE_BUF] == [lines[150]]
    assert len(stream.all) < len(lines) / 4
