"""The machine's clock is set by an hour in the middle of an evening, and set right again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from catalog.models import ScreeningStatus
from tests.gateway.streams import listening
from tests.gateway.town import Sold, Town, bearer

HOUR_S = 3600


async def piece(town: Town, url: str) -> int:
    """Status of a segment."""
    async with town.tell.get(url, headers={"Range": "bytes=0-999"}) as answer:
        await answer.read()
        return answer.status


async def grant(town: Town, listener: str, sold: Sold) -> dict[str, Any]:
    """A new grant."""
    granted: dict[str, Any] = await town.grant(listener, sold)
    return granted


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S])
async def test_who_listens_goes_on_through_a_step(town: Town, step_s: int) -> None:
    """Her segments are sent on; a new grant is good at once, while it is wrong and when it is not.

    Where the film is, is wrong by as much as the clock: nothing else on the machine knows better.
    """
    sold, listener = await town.ticket(starts_in=-600)
    before = await grant(town, listener, sold)
    url = before["downloads"][0]["url"]
    assert await piece(town, url) == 206
    town.clock.advance(seconds=step_s)
    assert await piece(town, url) == 206
    wrong = await grant(town, listener, sold)
    assert wrong["offset_s"] == pytest.approx(before["offset_s"] + step_s)
    assert await piece(town, wrong["downloads"][0]["url"]) == 206
    assert (await town.text(wrong["hls"])).startswith("#EXTM3U")
    town.clock.advance(seconds=-step_s)
    assert await piece(town, url) == 206
    right = await grant(town, listener, sold)
    assert right["offset_s"] == pytest.approx(before["offset_s"])
    assert (await town.text(right["hls"])).startswith("#EXTM3U")
    assert (await town.text(before["hls"])).startswith("#EXTM3U")


async def test_a_clock_that_runs_past_the_films_end_refuses_and_heals(town: Town) -> None:
    """Ten minutes before the credits an hour is beyond the margin: over, until it is set back."""
    sold, listener = await town.ticket(starts_in=-4680 + 600)
    before = await grant(town, listener, sold)
    url = before["downloads"][0]["url"]
    assert await piece(town, url) == 206
    town.clock.advance(seconds=HOUR_S)
    for path, status, code in (
        (url, 403, "token-refused"),
        (before["hls"], 403, "token-refused"),
        (f"/media/audio/the-general?ticket={sold.correlation_id}", 410, "screening-ended"),
    ):
        problem = await town.problem(path, headers=bearer(listener))
        assert (path, problem["status"], problem["code"]) == (path, status, code)
    town.clock.advance(seconds=-HOUR_S)
    assert await piece(town, url) == 206
    assert (await town.text(before["hls"])).startswith("#EXTM3U")
    right = await grant(town, listener, sold)
    assert right["offset_s"] == pytest.approx(before["offset_s"])
    assert await piece(town, right["downloads"][0]["url"]) == 206


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S])
async def test_purchases_wait_at_the_partner_until_the_clock_is_right(
    town: Town, step_s: int
) -> None:
    """Signed at the right time they are refused as 401, and taken as soon as ours is right."""
    body = json.dumps(town.notice(await town.show())).encode()
    town.clock.advance(seconds=step_s)
    signed = town.sign(body, age_s=step_s)
    problem = await town.problem("/tell/purchase", "POST", data=body, headers=signed)
    assert (problem["status"], problem["code"]) == (401, "webhook-refused")
    assert await town.purchases() == 0
    town.clock.advance(seconds=-step_s)
    async with town.tell.post("/tell/purchase", data=body, headers=signed) as answer:
        assert answer.status == 202
    assert await town.purchases() == 1


async def test_what_waits_for_the_partner_does_not_wait_for_the_clock(town: Town) -> None:
    """Put off while the clock was ahead, and looked up with the next sale after it was set back."""
    screening = await town.show(starts_in=HOUR_S)
    port = town.amc.port
    assert port is not None
    await town.amc.close()
    town.clock.advance(seconds=HOUR_S)
    put_off = await town.sell(screening)
    town.clock.advance(seconds=-HOUR_S)
    await town.reopen_amc(port)
    # Behind the pauses of the breaker and of the retries, and far before the hour.
    town.clock.advance(minutes=5)
    await town.is_enriched((await town.sell(screening)).correlation_id)
    await town.is_enriched(put_off.correlation_id)


async def test_a_change_is_heard_after_the_clock_was_set_back(town: Town) -> None:
    """Events follow one another by their number, not by their time."""
    screening = await town.show(starts_in=600)
    sold = await town.sell(screening)
    await town.is_enriched(sold.correlation_id)
    listener = await town.claim(sold)
    async with listening(town.tell, listener) as ears:
        for step_s, status in (
            (HOUR_S, ScreeningStatus.CANCELLED),
            (-HOUR_S, ScreeningStatus.SCHEDULED),
        ):
            town.clock.advance(seconds=step_s)
            await town.change_screening(screening.showtime_id, status=status)
            heard = await ears.next()
            assert heard.data["correlation_id"] == sold.correlation_id
            assert heard.data["ticket"]["phase"] == (
                "cancelled" if status is ScreeningStatus.CANCELLED else "previews"
            )
