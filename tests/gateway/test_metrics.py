"""Metrics: names that Prometheus's own guide accepts, and what a running Tell counts."""

from __future__ import annotations

import re
from functools import partial

from prometheus_client.parser import text_string_to_metric_families

from catalog.partner.answers import Answers
from catalog.partner.breaker import BreakerState
from gateway import keys
from gateway.metrics import Metrics
from gateway.ops.tonight import Evening
from tests.gateway.town import Town, bearer, playback

# Prometheus, "Metric and label naming": base units, in the plural, and a counter's `_total`.
_OTHER_UNITS = re.compile(
    r"_(ms|milliseconds|minutes|hours|kb|mb|kilobytes|megabytes|percent)(_|$)"
)


async def values(town: Town) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample of /metrics by its name and labels."""
    text = await town.text("/metrics")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_names_are_in_base_units() -> None:
    """Seconds and bytes, never anything else; each of ours says that it is ours, and what it is."""
    families = list(text_string_to_metric_families(Metrics().render().decode()))
    ours = [family for family in families if family.name.startswith("tell_")]
    assert len(ours) > 40
    for family in ours:
        assert not _OTHER_UNITS.search(family.name), family.name
        assert len(family.documentation) > 15, family.name
    assert all(family.name.startswith(("tell_", "process_", "python_")) for family in families)


async def test_two_partners_are_watched(town: Town) -> None:
    """Each one's breaker has its own lines; a second environment is no second metric."""
    metrics = Metrics()
    answers: Answers = town.tell.app[keys.ANSWERS]["local"]
    for environment in ("one", "two"):
        metrics.watch_breaker(environment, answers)
    text = metrics.render().decode()
    for environment in ("one", "two"):
        for state in BreakerState:
            value = float(state is answers.state)
            line = f'tell_partner_breaker{{environment="{environment}",state="{state}"}} {value}'
            assert line in text


async def test_a_join_is_counted_with_the_time_to_its_first_byte(town: Town) -> None:
    """What a player waits for has its time; a change of rate later is no join of its own."""
    sold, listener = await town.ticket(starts_in=-60)
    grant = await town.grant(listener, sold)
    await town.text(grant["hls"])
    stream = grant["downloads"][0]["url"].rpartition("/")[0]
    for rendition in ("aac-64k", "aac-32k"):
        await town.text(f"{stream}/{rendition}.m3u8")
    found = await values(town)
    assert found["tell_joins_total", (("phase", "feature"),)] == 1
    assert found["tell_playlists_total", (("kind", "media"),)] == 2
    waited = [labels for (name, labels) in found if name == "tell_first_byte_seconds_count"]
    assert {dict(labels)["route"].partition("/")[2].partition("/")[0] for labels in waited} <= {
        "media",
        "stream",
    }


async def test_a_refused_token_is_counted_by_what_it_was_for_and_why(town: Town) -> None:
    """A signature that does not fit, an expired token, a missing bearer: each in its own line."""
    sold, listener = await town.ticket()
    grant = await town.grant(listener, sold)
    access = grant["hls"].split("/")[2]
    town.clock.advance(hours=1)
    await town.problem(f"/stream/{access}/main.m3u8")
    await town.problem(f"/stream/{access[:-2]}xx/main.m3u8")
    await town.problem("/tell/tickets")
    await town.problem("/tell/tickets", headers=bearer("k1~nobody~nothing"))
    claim = {"claim_code": "wrong", "device_nonce": "device-nonce-0009"}
    await town.problem("/tell/claims", "POST", json=claim)
    headers = {**town.sign(b"{}"), "webhook-signature": "v1,AAAA"}
    await town.problem("/tell/purchase", "POST", data=b"{}", headers=headers)
    found = await values(town)
    refused = {
        (dict(labels)["purpose"], dict(labels)["reason"]): value
        for (name, labels), value in found.items()
        if name == "tell_tokens_refused_total"
    }
    assert refused["stream", "token-expired"] == 1
    assert refused["stream", "token-invalid"] == 1
    assert refused["listener", "listener-refused"] == 1
    assert refused["listener", "token-invalid"] == 1
    assert refused["claim", "token-invalid"] == 1
    assert [reason for purpose, reason in refused if purpose == "webhook"] == ["webhook-signature"]


async def test_a_storage_that_fails_is_counted(town_with_own_tracks: Town) -> None:
    """The request's 503, once; and the shelf says that it knows nothing of the film."""
    town = town_with_own_tracks
    sold, listener = await town.ticket()
    root = town.folder / "media" / "tracks" / "the-general"
    current = next(root.rglob("current.json"))
    current.unlink()
    # A link to itself: something is there, and cannot be opened (ELOOP, path_resolution(7)).
    current.symlink_to(current)
    path = f"/media/audio/the-general?ticket={sold.correlation_id}"
    problem = await town.problem(path, headers=bearer(listener))
    assert problem["code"] == "storage-unavailable"
    town.clock.advance(minutes=1)
    found = await values(town)
    counted = [value for (name, _), value in found.items() if name == "tell_storage_errors_total"]
    assert counted == [1]
    assert found["tell_tracks_unknown", ()] == 1


async def test_the_way_from_202_to_ticket_is_timed(town: Town) -> None:
    """One observation for each purchase, and what is done waits nowhere."""
    await town.ticket()
    found = await values(town)
    assert found["tell_enrichment_seconds_count", ()] == 1
    assert found["tell_purchases_enriched_total", ()] == 1
    assert found["tell_intake_waiting", ()] == 0
    assert not [name for name, _ in found if name == "tell_purchases_open"]


async def test_a_sold_film_without_a_track_is_told(town: Town) -> None:
    """How many films, and when the first one starts; a described film is none of them."""
    await town.ticket(starts_in=600)
    found = await values(town)
    assert found["tell_tracks_missing", ()] == 0
    assert ("tell_tracks_missing_start_timestamp_seconds", ()) not in found
    undescribed = await town.show("sherlock-jr", starts_in=3600)
    await town.is_enriched((await town.sell(undescribed)).correlation_id)
    town.clock.advance(minutes=1)
    found = await values(town)
    assert found["tell_tracks_missing", ()] == 1
    start = found["tell_tracks_missing_start_timestamp_seconds", ()]
    assert start == undescribed.movie_start.timestamp()


async def test_the_evening_stands_where_the_database_is_away(town: Town) -> None:
    """/metrics still answers, with what was read last and when that was."""
    await town.ticket(starts_in=-60)
    before = await values(town)
    await town.break_database()
    town.clock.advance(minutes=5)
    after = await values(town)
    name = ("tell_evening_timestamp_seconds", ())
    assert after[name] == before[name]
    assert after["tell_screenings_running", ()] == 1


async def test_a_screening_with_three_listeners_has_a_line(town: Town) -> None:
    """One or two have none, and subtracting finds nobody; the label goes when they are quiet."""
    screening = await town.show(starts_in=-60)
    reported = partial(_reported, town)
    for number in range(3):
        found = await values(town)
        assert not [name for name, _ in found if name == "tell_screening_listeners"]
        sold = await town.sell(screening)
        await town.is_enriched(sold.correlation_id)
        await reported(sold.correlation_id, await town.claim(sold, f"device-nonce-{number:04}"))
        town.clock.advance(seconds=5)
    # Another screening, with one listener.
    sold, listener = await town.ticket(starts_in=-60)
    await reported(sold.correlation_id, listener)
    town.clock.advance(seconds=5)
    found = await values(town)
    labels = (("environment", "local"), ("showtime_id", screening.showtime_id))
    told = {k[1]: value for k, value in found.items() if k[0] == "tell_screening_listeners"}
    assert told == {labels: 3}
    assert found["tell_listeners_now", ()] == 3
    assert found["tell_screenings_running", ()] == 2


async def _reported(town: Town, correlation_id: str, listener: str) -> None:
    report = playback(correlation_id, error_ms=4, bound_ms=2)
    async with town.tell.post("/tell/playback", json=report, headers=bearer(listener)) as answer:
        assert answer.status == 204


async def test_many_who_look_read_the_database_once(town: Town) -> None:
    """Within two seconds all get the same evening; after a change it is read anew."""
    evening: Evening = town.tell.app[keys.EVENING]
    first = await evening.take()
    assert await evening.take() is first
    evening.forget()
    second = await evening.take()
    assert second is not first
    town.clock.advance(seconds=2)
    assert await evening.take() is not second
