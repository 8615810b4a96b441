"""The app's page and its files."""

from __future__ import annotations

import aiohttp
import pytest

from tests.gateway.town import Town


async def test_the_address_alone_leads_to_the_app(town: Town) -> None:
    """302 to /listen."""
    async with town.tell.get("/", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/listen")


async def test_the_page_may_run_only_what_comes_from_here(town: Town) -> None:
    """The strict policy: no inline code, and nothing from anybody else, posters neither."""
    async with town.tell.get("/listen") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        policy = answer.headers["Content-Security-Policy"]
        page = await answer.text()
    assert policy.split("; ") == [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
    assert "<html" in page


async def test_a_known_page_is_not_sent_again(town: Town) -> None:
    """304 by ETag; packed and plain have tags of their own."""
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        url = town.tell.make_url("/listen")
        tags = set()
        for encoding in ("gzip", "identity"):
            headers = {"Accept-Encoding": encoding}
            async with session.get(url, headers=headers) as answer:
                assert answer.headers["Vary"] == "Accept-Encoding, Accept-Language"
                tag = answer.headers["ETag"]
            async with session.get(url, headers=headers | {"If-None-Match": tag}) as answer:
                assert (answer.status, await answer.read()) == (304, b"")
                assert answer.headers["ETag"] == tag
            tags.add(tag)
    assert len(tags) == 2


@pytest.mark.parametrize(
    ("wanted", "language"), [(None, "en"), ("es-MX,es;q=0.9", "es"), ("fr, en-GB;q=0.5", "en")]
)
async def test_the_words_come_beside_the_script(
    town: Town, wanted: str | None, language: str
) -> None:
    """In the language that the app will choose by the phone's; each of them is there."""
    headers = {} if wanted is None else {"Accept-Language": wanted}
    async with town.tell.get("/listen", headers=headers) as answer:
        link = answer.headers["Link"]
    assert link == f"</app/messages/{language}.json>; rel=preload; as=fetch; crossorigin"
    async with town.tell.get(f"/app/messages/{language}.json") as answer:
        assert answer.status == 200
        assert "button.listen" in await answer.json()


@pytest.mark.parametrize(
    "path",
    ["/app/none.js", "/app/../cli.py", "/app/..%2fcli.py", "/app/%2e%2e/cli.py", "/app//etc/passwd",
     "/app/.hidden", "/app/index.html/..", "/app/", "/app"],
)  # fmt: skip
async def test_only_the_app_s_own_files_are_served(town: Town, path: str) -> None:
    """404 for all else, as a problem."""
    problem = await town.problem(path)
    assert (problem["status"], problem["code"]) == (404, "not-found")


async def test_the_service_worker_may_control_the_whole_app(town: Town) -> None:
    """Its script lies below /app/, and /listen and the downloads are not there."""
    async with town.tell.get("/app/sw.js") as answer:
        assert answer.status == 200
        assert answer.headers["Service-Worker-Allowed"] == "/"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    async with town.tell.get("/app/js/app.js") as answer:
        assert "Service-Worker-Allowed" not in answer.headers


async def test_a_worker_may_fetch_from_here_alone(town: Town) -> None:
    """Its policy comes with its own script, and again with the answer that nothing has changed."""
    expected = "default-src 'none'; script-src 'self'; connect-src 'self'"
    async with town.tell.get("/app/js/downloadworker.js") as answer:
        assert answer.headers["Content-Security-Policy"] == expected
        headers = {"If-None-Match": answer.headers["ETag"]}
    async with town.tell.get("/app/js/downloadworker.js", headers=headers) as answer:
        assert answer.status == 304
        assert answer.headers["Content-Security-Policy"] == expected
    async with town.tell.get("/app/css/tell.css") as answer:
        assert "connect-src" not in answer.headers["Content-Security-Policy"]
