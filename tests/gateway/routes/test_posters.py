"""GET /posters/{environment}/{movieId}."""

from __future__ import annotations

import json

from amc_clone.posters.gallery import poster
from tests.gateway.town import Town, bearer


async def test_a_ticket_s_poster_comes_from_tell(town: Town) -> None:
    """The picture of the partner's server, for every cache, and unable to run anything."""
    sold, listener = await town.ticket(starts_in=600)
    path = f"/tell/tickets/{sold.correlation_id}"
    ticket = json.loads(await town.text(path, **bearer(listener)))
    async with town.tell.get(ticket["poster_url"]) as answer:
        assert answer.status == 200
        assert await answer.text() == poster("the-general")
        assert answer.headers["Content-Type"] == "image/svg+xml"
        assert answer.headers["Cache-Control"].startswith("public, max-age=86400")
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        tag = answer.headers["ETag"]
    headers = {"If-None-Match": tag}
    async with town.tell.get(ticket["poster_url"], headers=headers) as answer:
        assert (answer.status, await answer.read()) == (304, b"")
    # The partner's server goes away; what is kept stays.
    await town.amc.close()
    async with town.tell.get(ticket["poster_url"]) as answer:
        assert await answer.text() == poster("the-general")


async def test_no_other_path_of_the_partner_can_be_fetched(town: Town) -> None:
    """A film that no ticket was sold for is unknown, and so is an environment."""
    for path in ("/posters/local/nosferatu", "/posters/other/the-general"):
        assert (await town.problem(path))["code"] == "poster-not-found"
