"""GET /tell/events: a listener hears of her tickets, at whichever replica she is."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from amc_clone.app import SERVICES
from amc_clone.facts import details_json
from catalog.listeners.events import EventLog
from gateway.app import create_app
from gateway.keys import EVENT_FEED
from gateway.secrets import load_secrets
from gateway.settings import EventsSettings
from tests.gateway.routes.test_screening_events import push, sold_and_claimed
from tests.gateway.streams import listening
from tests.gateway.town import Client, Clients, HandClock, Town, bearer, open_town

pytestmark = pytest.mark.both_databases


async def test_she_hears_of_a_change_with_the_new_view(town: Town) -> None:
    """Kind, correlation id and the whole ticket: the app needs to ask for nothing more."""
    screening = await town.show(starts_in=-60)
    sold, listener = await sold_and_claimed(town, screening)
    async with listening(town.tell, listener) as ears:
        begun = await town.amc.app[SERVICES].desk.start(screening.showtime_id)
        await push(town, "screening.started", details_json(begun))
        heard = await ears.next()
    assert heard.kind == "screening.started"
    assert heard.data["correlation_id"] == sold.correlation_id
    shown = heard.data["ticket"]
    assert datetime.fromisoformat(shown["movie_start"]) == town.clock.now
    assert (shown["movie_start_source"], shown["phase"]) == ("partner_event", "feature")
    assert heard.last_event_id.isdigit()


async def test_each_kind_by_its_name(town: Town) -> None:
    """Changed, moved, cancelled; and a ticket that is enriched or taken back."""
    screening = await town.show(starts_in=600)
    _, listener = await sold_and_claimed(town, screening)
    desk = town.amc.app[SERVICES].desk
    async with listening(town.tell, listener) as ears:
        kinds = []
        for kind, change in (
            ("screening.updated", desk.delay(screening.showtime_id, timedelta(minutes=1))),
            ("screening.moved", desk.move(screening.showtime_id, "9")),
            ("screening.cancelled", desk.cancel(screening.showtime_id)),
        ):
            await push(town, kind, details_json(await change))
            kinds.append((await ears.next()).kind)
        other = await town.sell(await town.show(starts_in=600))
        await town.claim(other, device="device-nonce-0002", bearer=listener)
        enriched = await ears.next()
        purchase_id = json.loads(other.body)["purchase_id"]
        await push(town, "purchase.cancelled", {"purchase_id": purchase_id})
        cancelled = await ears.next()
    assert kinds == ["screening.changed", "screening.moved", "screening.cancelled"]
    assert (enriched.kind, cancelled.kind) == ("ticket.enriched", "ticket.cancelled")
    assert cancelled.data["ticket"]["state"] == "cancelled"


@pytest.mark.parametrize("broken", ["unreadable", "no track"])
async def test_a_storage_that_fails_silences_nobody(
    town_with_own_tracks: Town, broken: str
) -> None:
    """She hears of the change meanwhile, without a word on the track, and of the next one too."""
    town = town_with_own_tracks
    screening = await town.show(starts_in=600)
    _, listener = await sold_and_claimed(town, screening)
    current = next((town.folder / "media" / "tracks").rglob("current.json"))
    pointer = current.read_bytes()
    if broken == "unreadable":
        current.unlink()
        # A link to itself: something is there, and cannot be opened (ELOOP, path_resolution(7)).
        current.symlink_to(current)
    else:
        current.write_bytes(b"{")
    described = []
    async with listening(town.tell, listener) as ears:
        for minutes in (1, 2):
            later = await town.amc.app[SERVICES].desk.delay(
                screening.showtime_id, timedelta(minutes=minutes)
            )
            await push(town, "screening.updated", details_json(later))
            shown = (await ears.next()).data["ticket"]
            assert datetime.fromisoformat(shown["movie_start"]) == later.movie_start
            described.append(shown["described"])
            current.unlink()
            current.write_bytes(pointer)
    assert described == [None, True]


async def test_she_hears_of_her_own_tickets_alone(town: Town) -> None:
    """Another's screening says nothing to her; the next one of her own does."""
    hers, others = await town.show(starts_in=600), await town.show(starts_in=600)
    sold, listener = await sold_and_claimed(town, hers)
    stranger = await town.sell(others)
    await town.is_enriched(stranger.correlation_id)
    await town.claim(stranger, device="another-device-09")
    desk = town.amc.app[SERVICES].desk
    async with listening(town.tell, listener) as ears:
        for screening in (others, hers):
            later = await desk.delay(screening.showtime_id, timedelta(minutes=2))
            await push(town, "screening.updated", details_json(later))
        heard = await ears.next()
    assert heard.data["correlation_id"] == sold.correlation_id


async def test_what_was_missed_is_replayed_in_order(town: Town) -> None:
    """From the last id on; a connection in between is not needed."""
    screening = await town.show(starts_in=600)
    _, listener = await sold_and_claimed(town, screening)
    async with listening(town.tell, listener) as ears:
        stood = ears.last_event_id
    desk = town.amc.app[SERVICES].desk
    for kind, change in (
        ("screening.updated", desk.delay(screening.showtime_id, timedelta(minutes=1))),
        ("screening.moved", desk.move(screening.showtime_id, "9")),
    ):
        await push(town, kind, details_json(await change))
    async with listening(town.tell, listener, stood) as ears:
        first, second = await ears.next(), await ears.next()
    assert [first.kind, second.kind] == ["screening.changed", "screening.moved"]
    async with listening(town.tell, listener, first.last_event_id) as ears:
        assert (await ears.next()).kind == "screening.moved"


async def test_an_id_too_old_or_not_ours_resets(town: Town) -> None:
    """She reads her tickets anew, and goes on from here."""
    screening = await town.show(starts_in=600)
    _, listener = await sold_and_claimed(town, screening)
    async with listening(town.tell, listener) as ears:
        stood = ears.last_event_id
    later = await town.amc.app[SERVICES].desk.delay(screening.showtime_id, timedelta(minutes=1))
    await push(town, "screening.updated", details_json(later))
    async with town.database() as database:
        assert await EventLog(database).prune(town.clock.now + timedelta(days=2))
    for last_event_id in (stood, "999999", "what?"):
        async with listening(town.tell, listener, last_event_id) as ears:
            heard = await ears.next()
            assert (heard.kind, heard.data) == ("reset", {})


async def test_a_bearer_and_nothing_else_opens_it(town: Town) -> None:
    """No token in the query, no guessed one."""
    _, listener = await town.ticket()
    for path, headers in (
        ("/tell/events", {}),
        (f"/tell/events?token={listener}", {}),
        ("/tell/events", bearer(f"{listener}x")),
    ):
        problem = await town.problem(path, headers=headers)
        assert (problem["status"], problem["code"]) == (401, "token-refused")


async def test_a_listener_s_oldest_connection_makes_room(town: Town) -> None:
    """A phone that changes networks leaves dead ones behind."""
    _, listener = await town.ticket()
    async with AsyncExitStack() as stack:
        oldest = await stack.enter_async_context(listening(town.tell, listener))
        for _ in range(EventsSettings().max_per_listener):
            await stack.enter_async_context(listening(town.tell, listener))
        with pytest.raises(EOFError):
            await oldest.next()


async def test_how_many_listen_is_told_from_three_on(town: Town) -> None:
    """One stream or two would point at somebody; /metrics says 0 for them."""
    _, listener = await town.ticket()
    told = []
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(listening(town.tell, listener))
            (line,) = re.findall(r"^tell_event_connections .*$", await town.text("/metrics"), re.M)
            told.append(line.split()[1])
    assert told == ["0.0", "0.0", "3.0"]


async def test_it_ends_when_the_server_stops(town: Town) -> None:
    """At once, also for who comes now; each is told when to come back, and not all the same."""
    _, listener = await town.ticket()
    async with listening(town.tell, listener) as ears:
        assert town.tell.app is not None
        town.tell.app[EVENT_FEED].close()
        await ears.ended()
    hints = set()
    for _ in range(20):
        async with town.tell.get("/tell/events", headers=bearer(listener)) as answer:
            assert answer.status == 200
            stream = await answer.text()
        _, _, hint = stream.rpartition("retry: ")
        hints.add(int(hint))
    assert len(hints) > 10
    assert all(250 <= each <= 2000 for each in hints)


@pytest.fixture
async def replica(town: Town) -> AsyncIterator[Client]:
    """Another gateway on the same database."""
    app = create_app(town.settings, clock=town.clock, secrets=load_secrets(town.settings))
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_after_the_202_at_one_replica_the_other_shows_it(town: Town, replica: Client) -> None:
    """Ticket, grant and playlist at once; the listeners who are connected there within seconds."""
    screening = await town.show(starts_in=-60)
    sold, listener = await sold_and_claimed(town, screening)
    async with listening(replica, listener) as ears:
        later = await town.amc.app[SERVICES].desk.delay(screening.showtime_id, timedelta(minutes=6))
        await push(town, "screening.updated", details_json(later))
        loop = asyncio.get_running_loop()
        accepted_at = loop.time()
        path = f"/tell/tickets/{sold.correlation_id}"
        async with replica.get(path, headers=bearer(listener)) as answer:
            shown = await answer.json()
        path = f"/media/audio/the-general?ticket={sold.correlation_id}"
        async with replica.get(path, headers=bearer(listener)) as answer:
            grant = await answer.json()
        async with replica.get(grant["downloads"][0]["url"].replace(".mp4", ".m3u8")) as answer:
            media = await answer.text()
        heard = await ears.next()
    for movie_start in (
        shown["movie_start"],
        grant["movie_start"],
        heard.data["ticket"]["movie_start"],
    ):
        assert datetime.fromisoformat(movie_start) == later.movie_start
    zero_at = later.movie_start + timedelta(seconds=grant["track_offset_s"])
    assert f"#EXT-X-PROGRAM-DATE-TIME:{zero_at:%Y-%m-%dT%H:%M:%S}" in media
    # The promise to listeners, and not a measurement: it is kept by 0.4 s of polling.
    assert loop.time() - accepted_at < 2.0


async def test_what_was_missed_is_replayed_at_the_other_replica(
    town: Town, replica: Client
) -> None:
    """A balancer sends her anywhere when she reconnects: the ids are the same everywhere."""
    screening = await town.show(starts_in=600)
    _, listener = await sold_and_claimed(town, screening)
    async with listening(town.tell, listener) as ears:
        stood = ears.last_event_id
    later = await town.amc.app[SERVICES].desk.delay(screening.showtime_id, timedelta(minutes=1))
    await push(town, "screening.updated", details_json(later))
    async with listening(replica, listener, stood) as ears:
        heard = await ears.next()
        assert heard.kind == "screening.changed"
        assert datetime.fromisoformat(heard.data["ticket"]["movie_start"]) == later.movie_start
    async with listening(town.tell, listener, heard.last_event_id) as ears:
        # Her place, and nothing twice.
        assert await ears.stands() == heard.last_event_id


async def test_a_quiet_stream_tells_its_place_again_and_again(
    tmp_path: Path,
    media_root: Path,
    amc: TestServer,
    clock: HandClock,
    aiohttp_client: Clients,
    database_url: str,
) -> None:
    """Signs of life by HTTP: the id alone, which dispatches nothing, and a change comes between."""
    town = await open_town(
        tmp_path,
        media_root,
        amc,
        clock,
        aiohttp_client,
        database_url,
        events=EventsSettings(heartbeat_s=0.01),
    )
    screening = await town.show(starts_in=600)
    _, listener = await sold_and_claimed(town, screening)
    async with listening(town.tell, listener) as ears:
        stood = ears.last_event_id
        assert [await ears.stands() for _ in range(3)] == [stood] * 3
        later = await town.amc.app[SERVICES].desk.delay(screening.showtime_id, timedelta(minutes=1))
        await push(town, "screening.updated", details_json(later))
        heard = await ears.next()
        assert heard.kind == "screening.changed"
        assert [await ears.stands() for _ in range(2)] == [heard.last_event_id] * 2
