"""Posters and static files; the page itself is in pages/test_pages.py."""

from __future__ import annotations

import pytest

from tests.amc_clone.cinema import Cinema


async def test_a_poster_may_be_shown_elsewhere(cinema: Cinema) -> None:
    """Tell's pages show it too; it is cached and revalidated."""
    async with cinema.client.get("/posters/one-week.svg") as answer:
        assert answer.status == 200
        assert answer.content_type == "image/svg+xml"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["Cache-Control"] == "public, max-age=3600"
        etag = answer.headers["ETag"]
    headers = {"If-None-Match": etag}
    async with cinema.client.get("/posters/one-week.svg", headers=headers) as answer:
        assert answer.status == 304


@pytest.mark.parametrize(
    ("name", "content_type"),
    [("style.css", "text/css"), ("ticket.js", "text/javascript"), ("icon.svg", "image/svg+xml")],
)
async def test_static_files_have_their_types(cinema: Cinema, name: str, content_type: str) -> None:
    """Each file that the pages name is there."""
    async with cinema.client.get(f"/static/{name}") as answer:
        assert (answer.status, answer.content_type) == (200, content_type)
        assert await answer.read()


@pytest.mark.parametrize(
    "path", ["/posters/heat.svg", "/static/../app.py", "/static/%2e%2e%2fapp.py", "/static/x"]
)
async def test_nothing_else_is_served(cinema: Cinema, path: str) -> None:
    """No other film, no other file, no way out of the folder."""
    async with cinema.client.get(path) as answer:
        assert answer.status == 404
