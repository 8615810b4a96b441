"""GET /time."""

from __future__ import annotations

from datetime import datetime

from gateway.routes.time import epoch_us
from tests.gateway.town import NOW, Town


async def test_the_clock_is_told_in_microseconds(town: Town) -> None:
    """The nonce comes back, and both readings are of the clock that offset_s uses."""
    town.clock.now = NOW.replace(microsecond=123_457)
    async with town.tell.get("/time?nonce=aZ-_09.~") as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"
        body = await answer.json()
    expected = epoch_us(town.clock.now)
    assert body == {
        "nonce": "aZ-_09.~",
        "received_us": expected,
        "sent_us": expected,
        "bound_us": 1,
        "bound_source": "resolution",
    }


async def test_a_wrong_nonce_is_refused(town: Town) -> None:
    """Missing, too long, doubled, or of characters that a URL would change."""
    for query in ("", "?nonce=", "?nonce=" + "a" * 65, "?nonce=a&nonce=b", "?nonce=a%22"):
        problem = await town.problem(f"/time{query}")
        assert (problem["status"], problem["code"]) == (400, "invalid-query")
        assert problem["errors"][0]["field"] == "nonce"


def test_epoch_microseconds_are_exact() -> None:
    """No float comes near them."""
    instant = datetime.fromisoformat("2027-03-05T19:30:00.000001+00:00")
    assert epoch_us(instant) == 1_804_275_000_000_001
