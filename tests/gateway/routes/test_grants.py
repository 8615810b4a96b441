"""GET /media/audio/{movieId}."""

from __future__ import annotations

import json

import m3u8
import pytest

from catalog.models import ScreeningStatus
from media import hls
from media.track import Track
from tests.gateway.conftest import TRACK_OFFSET_S
from tests.gateway.town import Town, bearer

PATH = "/media/audio/the-general"


@pytest.mark.both_databases
async def test_a_listener_in_the_film_gets_all_that_a_player_needs(
    town: Town, track: Track
) -> None:
    """Positions by Tell's clock, signed paths, and each rendition for download."""
    sold, listener = await town.ticket(starts_in=-6)
    grant = await town.grant(listener, sold)
    access = grant["hls"].split("/")[2]
    stream = grant["downloads"][0]["url"].split("/")[2]
    assert access != stream
    assert grant == {
        "correlation_id": sold.correlation_id,
        "movie_id": "the-general",
        "title": "The General",
        "language": "en",
        "languages": ["en", "es"],
        "phase": "feature",
        "server_time": "2027-03-05T19:30:00Z",
        "movie_start": "2027-03-05T19:29:54Z",
        # A millisecond is the bound of AMC-clone's clock, as measured.
        "movie_start_bound_ms": 300_001,
        "movie_start_source": "schedule",
        "credits_end": "2027-03-05T20:47:54Z",
        "offset_s": 6.0,
        "track_position_s": 6.0 - TRACK_OFFSET_S,
        "track_offset_s": TRACK_OFFSET_S,
        "duration_s": track.duration_s,
        "hls": f"/stream/{access}/main.m3u8",
        "hls_opus": f"/stream/{access}/opus.m3u8",
        "dash": f"/stream/{access}/main.mpd",
        "now": f"/stream/{access}/now.m3u8",
        "silences": f"/stream/{stream}/silences.json",
        "downloads": [
            {
                "rendition": rendition.name,
                "codec": rendition.codec,
                "codecs": rendition.codecs,
                "url": f"/stream/{stream}/{rendition.name}.mp4",
                "size_bytes": rendition.size_bytes,
                "sha256": rendition.sha256,
                "bit_rate_bps": rendition.bit_rate_bps,
            }
            for rendition in track.renditions
        ],
        "expires_at": "2027-03-05T19:40:00Z",
    }


@pytest.mark.parametrize(
    ("starts_in", "offset_s", "position_s", "phase"),
    [
        # None: the track's own end.
        (7200, -7200.0, 0.0, "upcoming"),
        (600, -600.0, 0.0, "previews"),
        (0.001, -0.001, 0.0, "previews"),
        (0, 0.0, 0.0, "feature"),
        (-2.5, 2.5, 0.0, "feature"),
        (-10, 10.0, 7.5, "feature"),
        (-2000, 2000.0, None, "feature"),
        (-4700, 4700.0, None, "ended"),
    ],
)
async def test_the_position_is_held_within_the_track(
    town: Town,
    track: Track,
    starts_in: float,
    offset_s: float,
    position_s: float | None,
    phase: str,
) -> None:
    """Never negative, never past the end, through every phase and into the margin."""
    sold, listener = await town.ticket(starts_in=starts_in)
    grant = await town.grant(listener, sold)
    assert grant["offset_s"] == pytest.approx(offset_s)
    expected = track.duration_s if position_s is None else position_s
    assert grant["track_position_s"] == pytest.approx(expected)
    assert grant["phase"] == phase


async def test_a_player_gets_the_multivariant_playlist_itself(town: Town, track: Track) -> None:
    """By Accept, with 200 and no redirect (Apple's authoring rule 8.18)."""
    sold, listener = await town.ticket(starts_in=-6)
    path = f"{PATH}?ticket={sold.correlation_id}"
    headers = bearer(listener) | {"Accept": f"{hls.MEDIA_TYPE}, application/json;q=0.1"}
    async with town.tell.get(path, headers=headers, allow_redirects=False) as answer:
        assert answer.status == 200
        assert answer.content_type == hls.MEDIA_TYPE
        assert {part.strip() for part in answer.headers["Vary"].split(",")} == {
            "Accept",
            "Accept-Encoding",
            "Save-Data",
        }
        assert answer.headers["Cache-Control"] == "private, no-store"
        text = await answer.text()
    token = text.partition("/stream/")[2].partition("/")[0]
    assert text == hls.multivariant_playlist(track, "aac", token, 6 - TRACK_OFFSET_S)


async def test_codecs_and_save_data_narrow_and_order_the_renditions(
    town: Town, track: Track
) -> None:
    """Only what the device decodes, the smallest first where it saves data; else as it is."""
    sold, listener = await town.ticket(starts_in=-6)
    path = f"{PATH}?ticket={sold.correlation_id}"
    saving = bearer(listener) | {"Save-Data": "on"}

    async def named(query: str, headers: dict[str, str]) -> list[str]:
        grant = json.loads(await town.text(f"{path}{query}", **headers))
        names = [one["rendition"] for one in grant["downloads"]]
        assert (grant["hls"] is None) == (not any(name.startswith("aac") for name in names))
        assert (grant["hls_opus"] is None) == (not any(name.startswith("opus") for name in names))
        return names

    every = [rendition.name for rendition in track.renditions]
    aac = [name for name in every if name.startswith("aac")]
    opus = [name for name in every if name.startswith("opus")]
    smallest = sorted(track.renditions, key=lambda rendition: rendition.average_bps)
    assert await named("", bearer(listener)) == every
    assert await named("", bearer(listener) | {"Save-Data": "no"}) == every
    assert await named("&codecs=mp4a.40.2", bearer(listener)) == aac
    assert await named("&codecs=Opus", bearer(listener)) == opus
    assert await named("&codecs=opus,mp4a.40.2,vorbis", bearer(listener)) == every
    assert await named("", saving) == [rendition.name for rendition in smallest]
    assert await named("&codecs=mp4a.40.2", saving) == sorted(aac, key=lambda n: int(n[4:-1]))
    problem = await town.problem(f"{path}&codecs=opus;q=1", headers=bearer(listener))
    assert (problem["status"], problem["code"]) == (400, "invalid-query")
    problem = await town.problem(f"{path}&codecs=ac-3,flac", headers=bearer(listener))
    assert (problem["status"], problem["code"]) == (404, "not-found")
    assert "mp4a.40.2" in problem["detail"]


async def test_a_player_begins_with_what_it_wishes(town: Town) -> None:
    """The Multivariant Playlist has the smallest first with Save-Data, and Opus alone by codecs."""
    sold, listener = await town.ticket(starts_in=-6)
    path = f"{PATH}?ticket={sold.correlation_id}"
    player = bearer(listener) | {"Accept": hls.MEDIA_TYPE}
    saving = m3u8.loads(await town.text(path, **player, **{"Save-Data": "on"})).playlists
    rates = [each.stream_info.bandwidth for each in saving]
    assert rates == sorted(rates)
    opus = m3u8.loads(await town.text(f"{path}&codecs=opus", **player)).playlists
    assert {each.stream_info.codecs for each in opus} == {"opus"}
    usual = m3u8.loads(await town.text(path, **player)).playlists
    assert {each.stream_info.codecs for each in usual} == {"mp4a.40.2"}


async def test_what_is_not_offered_is_406(town: Town) -> None:
    """With what there is."""
    sold, listener = await town.ticket()
    headers = bearer(listener) | {"Accept": "text/html"}
    problem = await town.problem(f"{PATH}?ticket={sold.correlation_id}", headers=headers)
    assert (problem["status"], problem["code"]) == (406, "not-acceptable")
    assert hls.MEDIA_TYPE in problem["detail"]


@pytest.mark.both_databases
async def test_without_a_ticket_the_running_screening_is_meant(town: Town) -> None:
    """Else the next one."""
    tomorrow = await town.sell(await town.show(starts_in=86_400))
    tonight = await town.sell(await town.show(starts_in=600))
    for sold in (tomorrow, tonight):
        await town.is_enriched(sold.correlation_id)
    listener = await town.claim(tomorrow)
    await town.claim(tonight, bearer=listener)
    body = json.loads(await town.text(PATH, **bearer(listener)))
    assert body["correlation_id"] == tonight.correlation_id
    town.clock.advance(hours=3)
    body = json.loads(await town.text(PATH, **bearer(listener)))
    assert body["correlation_id"] == tomorrow.correlation_id


async def test_no_bearer_is_401_and_shows_nothing(town: Town) -> None:
    """Before anything else is looked at."""
    sold, _ = await town.ticket()
    async with town.tell.get(f"{PATH}?ticket={sold.correlation_id}") as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert "stream" not in await answer.text()


@pytest.mark.both_databases
async def test_another_listener_s_ticket_is_not_found(town: Town) -> None:
    """404, as if there were none."""
    hers, _ = await town.ticket()
    _, mine = await town.ticket()
    path = f"{PATH}?ticket={hers.correlation_id}"
    problem = await town.problem(path, headers=bearer(mine))
    assert (problem["status"], problem["code"]) == (404, "ticket-not-found")


async def test_a_ticket_for_another_film_is_refused(town: Town) -> None:
    """403, and nothing of the other film."""
    sold, listener = await town.ticket()
    path = f"/media/audio/nosferatu?ticket={sold.correlation_id}"
    problem = await town.problem(path, headers=bearer(listener))
    assert (problem["status"], problem["code"]) == (403, "wrong-movie")
    problem = await town.problem("/media/audio/nosferatu", headers=bearer(listener))
    assert (problem["status"], problem["code"]) == (404, "ticket-not-found")


async def test_a_film_without_a_track_is_not_described(town: Town) -> None:
    """404 with the one code that the app turns into a sentence."""
    sold, listener = await town.ticket("nosferatu")
    path = f"/media/audio/nosferatu?ticket={sold.correlation_id}"
    problem = await town.problem(path, headers=bearer(listener))
    assert (problem["status"], problem["code"]) == (404, "not-described")
    assert problem["correlation_id"] == sold.correlation_id


async def test_a_language_is_chosen_or_the_others_are_named(town: Town) -> None:
    """404 names what there is; a tag of a wrong form is 400."""
    sold, listener = await town.ticket()
    path = f"{PATH}?ticket={sold.correlation_id}&language="
    spanish = json.loads(await town.text(f"{path}es", **bearer(listener)))
    assert (spanish["language"], spanish["languages"]) == ("es", ["en", "es"])
    problem = await town.problem(f"{path}fr", headers=bearer(listener))
    assert (problem["status"], problem["code"]) == (404, "not-described")
    assert problem["languages"] == ["en", "es"]
    problem = await town.problem(f"{path}..%2F..%2Fetc", headers=bearer(listener))
    assert (problem["status"], problem["code"]) == (400, "invalid-query")


async def test_a_purchase_that_is_still_looked_up_says_when_to_come_again(town: Town) -> None:
    """409 with Retry-After."""
    notice = town.notice(await town.show()) | {"showtime_id": "unheard-of"}
    body = json.dumps(notice).encode()
    async with town.tell.post("/tell/purchase", data=body, headers=town.sign(body)) as answer:
        data = await answer.json()
    claim = {
        "claim_code": data["listen_url"].partition("#")[2],
        "device_nonce": "device-nonce-0001",
    }
    async with town.tell.post("/tell/claims", json=claim) as answer:
        listener = (await answer.json())["listener_token"]
    for path in (PATH, f"{PATH}?ticket={data['correlation_id']}"):
        async with town.tell.get(path, headers=bearer(listener)) as answer:
            assert answer.status == 409
            assert int(answer.headers["Retry-After"]) > 0
            problem = await answer.json(content_type=None)
        assert problem["code"] == "not-enriched"
        assert problem["correlation_id"] == data["correlation_id"]


@pytest.mark.both_databases
async def test_a_cancelled_screening_is_gone(town: Town) -> None:
    """410, from the next request on."""
    screening = await town.show()
    sold = await town.sell(screening)
    await town.is_enriched(sold.correlation_id)
    listener = await town.claim(sold)
    await town.grant(listener, sold)
    await town.change_screening(screening.showtime_id, status=ScreeningStatus.CANCELLED)
    problem = await town.problem(f"{PATH}?ticket={sold.correlation_id}", headers=bearer(listener))
    assert (problem["status"], problem["code"]) == (410, "screening-cancelled")


async def test_after_the_film_and_the_margin_it_is_over(town: Town) -> None:
    """Open to the last instant of the margin, then 410."""
    sold, listener = await town.ticket(starts_in=0, lasts_s=3600)
    path = f"{PATH}?ticket={sold.correlation_id}"
    town.clock.advance(seconds=3600 + 1799)
    await town.text(path, **bearer(listener))
    town.clock.advance(seconds=1)
    problem = await town.problem(path, headers=bearer(listener))
    assert (problem["status"], problem["code"]) == (410, "screening-ended")


@pytest.mark.parametrize("movie_id", ["..%2f..%2fetc", "%2e%2e%2f", "a%20b", "x" * 65, "%00"])
async def test_an_id_that_could_climb_is_refused(town: Town, movie_id: str) -> None:
    """400 before any storage is asked."""
    _, listener = await town.ticket()
    problem = await town.problem(f"/media/audio/{movie_id}", headers=bearer(listener))
    assert problem["code"] in {"invalid-id", "not-found"}
    assert problem["status"] in {400, 404}
