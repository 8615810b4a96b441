"""DELETE /tell/listener."""

from __future__ import annotations

import pytest

from catalog.store import schema
from tests.gateway.town import Town, bearer

pytestmark = pytest.mark.both_databases

PERSONAL = (schema.listeners, schema.claims, schema.playback_states, schema.purchases)


async def test_a_listener_erases_all_that_is_hers(town: Town) -> None:
    """204, again too; her ticket and what it opened are gone, another's are not."""
    sold, listener = await town.ticket(starts_in=600)
    _, other = await town.ticket(starts_in=600)
    grant = await town.grant(listener, sold)
    for _ in range(2):
        async with town.tell.delete("/tell/listener", headers=bearer(listener)) as answer:
            assert answer.status == 204
            assert answer.headers["Cache-Control"] == "no-store"
    assert [await town.count(table) for table in PERSONAL] == [1, 1, 0, 1]
    path = f"/tell/tickets/{sold.correlation_id}"
    assert (await town.problem(path, headers=bearer(listener)))["code"] == "ticket-not-found"
    assert (await town.problem(grant["hls"]))["code"] == "ticket-not-found"
    assert '"tickets":[]' in await town.text("/tell/tickets", **bearer(listener))
    assert sold.correlation_id not in await town.text("/tell/tickets", **bearer(other))


async def test_only_she_herself_may(town: Town) -> None:
    """Without her bearer nothing is erased."""
    await town.ticket()
    async with town.tell.delete("/tell/listener") as answer:
        assert answer.status == 401
    assert await town.count(schema.listeners) == 1
