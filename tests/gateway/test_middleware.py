"""What surrounds every request: ids, headers, metrics, and problems for errors of any kind."""

from __future__ import annotations

import asyncio
import json

import structlog
from aiohttp import web

from gateway import keys
from gateway.metrics import Metrics
from gateway.middleware import MIDDLEWARES, set_headers
from gateway.problems import TABLE, all_kinds, kind_of
from media.errors import ObjectNotFoundError, TokenError, TokenExpiredError
from tests.gateway.town import NOW, Clients, Town


async def test_every_answer_has_an_id_and_the_headers(town: Town) -> None:
    """Streams, pages, problems: all of them."""
    ids = set()
    for path in ("/listen", "/healthz", "/none", "/stream/x/main.m3u8", "/metrics"):
        async with town.tell.get(path) as answer:
            headers = answer.headers
        ids.add(headers["X-Request-Id"])
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Server"] == "Tell"
    assert len(ids) == 5


async def test_a_problem_carries_the_request_s_id(town: Town) -> None:
    """Where no purchase is known, the id of the header is in the body."""
    async with town.tell.get("/none") as answer:
        body = await answer.json(content_type=None)
        assert body == {
            "type": "/problems/not-found",
            "title": "There is nothing here",
            "status": 404,
            "detail": "No route has this path.",
            "code": "not-found",
            "correlation_id": answer.headers["X-Request-Id"],
        }
        assert answer.headers["Cache-Control"] == "no-store"


async def test_a_refusal_is_one_line_that_says_why(town: Town) -> None:
    """Strangers can have as many as they like: the request's own line has code and reason."""
    with structlog.testing.capture_logs() as lines:
        async with town.tell.get("/stream/k1~nobody~signature/aac-64k.mp4") as answer:
            assert answer.status == 403
    (line,) = [line for line in lines if line.get("code") == "token-invalid"]
    assert (line["event"], line["status"]) == ("request", 403)
    assert line["reason"]
    assert "nobody" not in str(line)


async def test_another_method_is_405_with_those_that_are_allowed(town: Town) -> None:
    """RFC 9110 15.5.6."""
    async with town.tell.put("/healthz") as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "GET, HEAD"
        assert (await answer.json(content_type=None))["code"] == "method-not-allowed"
    async with town.tell.get("/tell/purchase") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")


async def test_a_problem_s_type_can_be_looked_up(town: Town) -> None:
    """The address in `type` answers with what the code means (RFC 9457 3.1.1)."""
    meaning = json.loads(await town.text("/problems/token-refused"))
    assert meaning["statuses"] == [401, 403]
    for kind in all_kinds():
        assert json.loads(await town.text(f"/problems/{kind.code}"))["code"] == kind.code
    assert (await town.problem("/problems/none"))["code"] == "not-found"


def test_an_error_takes_the_row_of_its_nearest_base() -> None:
    """A new subclass is never a bug, and what is in no row is one."""
    assert kind_of(TokenExpiredError(NOW)) is TABLE[TokenError]
    missing = kind_of(ObjectNotFoundError("tracks/a"))
    assert missing is not None
    assert missing.code == "storage-unavailable"
    assert kind_of(KeyError("x")) is None


async def test_a_bug_is_a_500_that_says_nothing(aiohttp_client: Clients) -> None:
    """The traceback is for the log alone."""

    async def buggy(_request: web.Request) -> web.Response:
        raise KeyError("a secret in a message")

    app = web.Application(middlewares=MIDDLEWARES)
    app[keys.METRICS] = Metrics()
    app.on_response_prepare.append(set_headers)
    app.router.add_get("/bug/{name}", buggy)
    client = await aiohttp_client(app)
    async with client.get("/bug/one") as answer:
        text = await answer.text()
        assert answer.status == 500
        assert "secret" not in text
        assert "KeyError" not in text
        assert json.loads(text)["code"] == "internal"
        assert json.loads(text)["correlation_id"] == answer.headers["X-Request-Id"]
    rendered = app[keys.METRICS].render().decode()
    assert 'tell_problems_total{code="internal",route="/bug/{name}"} 1.0' in rendered


async def test_metrics_are_labelled_by_pattern(town: Town) -> None:
    """No id, no token, no stranger's method or path becomes a label."""
    await town.problem("/stream/some-token/main.m3u8")
    await town.problem("/no/such/path")
    async with town.tell.request("PROPFIND", "/healthz") as answer:
        assert answer.status == 405
    metrics = await town.text("/metrics")
    counted = (
        'tell_http_requests_total{method="GET",route="/stream/{token}/main.m3u8",status="403"}'
    )
    assert f"{counted} 1.0" in metrics
    assert 'tell_http_requests_total{method="GET",route="unmatched",status="404"} 1.0' in metrics
    assert 'method="other"' in metrics
    for hidden in ("some-token", "such", "PROPFIND"):
        assert hidden not in metrics


async def test_two_gateways_in_one_process_count_apart(
    town: Town, town_with_own_tracks: Town
) -> None:
    """Each has a registry of its own."""
    await town.problem("/no/such/path")
    assert 'route="unmatched"' in await town.text("/metrics")
    assert 'route="unmatched"' not in await town_with_own_tracks.text("/metrics")


async def test_a_broken_request_is_a_4xx_and_no_bug(town: Town) -> None:
    """Bad chunks, a half body, no HTTP at all: the next client is served."""
    head = "POST /tell/claims HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    for text in (
        f"{head}Transfer-Encoding: chunked\r\n\r\nzz\r\nnot a chunk",
        f"{head}Content-Length: 100\r\n\r\n{{",
        f"{head}Content-Length: nonsense\r\n\r\n",
        "\x16\x03\x01 hello\r\n\r\n",
        "GET /stream/k1~secret~token/main.m3u8 HTTP/1.1\r\nHo st: x\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", town.tell.port)
        writer.write(text.encode("latin-1"))
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))
    assert 'code="internal"' not in await town.text("/metrics")
