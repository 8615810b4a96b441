"""Playlists and the MPD by token."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import m3u8
import pytest

from catalog.models import ScreeningStatus
from gateway.secrets import load_secrets
from media import dash, hls
from media.tokens import Keyring, Tokens
from media.track import Track, dump_track
from tests.gateway.conftest import TRACK_OFFSET_S
from tests.gateway.town import NOW, Town


async def granted(town: Town, starts_in: float = 0.0) -> Any:
    """The grant of a new ticket."""
    sold, listener = await town.ticket(starts_in=starts_in)
    return await town.grant(listener, sold)


def token_in(text: str) -> str:
    """The stream token that a playlist names."""
    return text.partition("/stream/")[2].partition("/")[0]


def media_path(grant: Any, name: str = "aac-64k.m3u8") -> str:
    """Path of what a stream token opens."""
    return str(grant["downloads"][0]["url"].rpartition("/")[0]) + f"/{name}"


@pytest.mark.parametrize("codec", ["aac", "opus"])
async def test_a_multivariant_playlist_is_text_for_text_that_of_the_track(
    town: Town, track: Track, codec: Any
) -> None:
    """The position is of the moment, and its URIs carry a stream token from the root."""
    grant = await granted(town, starts_in=-6)
    town.clock.advance(seconds=1.25)
    text = await town.text(grant["hls" if codec == "aac" else "hls_opus"])
    assert text == hls.multivariant_playlist(
        track, codec, token_in(text), 6 + 1.25 - TRACK_OFFSET_S
    )
    # The very token of the downloads: what plays and what is kept has one address.
    assert f"/stream/{token_in(text)}/" in grant["downloads"][0]["url"]


async def test_a_media_playlist_is_text_for_text_that_of_the_track(
    town: Town, track: Track
) -> None:
    """START at the position, DATE-TIME of sample 0, the file beside it."""
    grant = await granted(town, starts_in=-6)
    rendition = track.rendition("aac-64k")
    assert rendition is not None
    zero_at = NOW + timedelta(seconds=-6 + TRACK_OFFSET_S)
    text = await town.text(media_path(grant))
    assert text == hls.media_playlist(track, rendition, 6 - TRACK_OFFSET_S, zero_at)
    assert "\naac-64k.mp4\n" in text
    assert "#EXT-X-PROGRAM-DATE-TIME:2027-03-05T19:29:56.500Z" in text


@pytest.mark.parametrize("starts_in", [7200.0, 1.0, 0.0])
async def test_before_the_film_playlists_begin_at_zero(town: Town, starts_in: float) -> None:
    """START 0, never a negative one that counts from the end (RFC 8216 4.3.5.2)."""
    grant = await granted(town, starts_in=starts_in)
    for path in (grant["hls"], grant["hls_opus"], media_path(grant), grant["now"]):
        text = await town.text(path)
        assert "#EXT-X-START:TIME-OFFSET=0.000000,PRECISE=YES\n" in text
    zero_at = NOW + timedelta(seconds=starts_in + TRACK_OFFSET_S)
    stamp = zero_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert f"#EXT-X-PROGRAM-DATE-TIME:{stamp}\n" in await town.text(media_path(grant))


async def test_a_moved_film_shows_in_the_next_playlist(town: Town) -> None:
    """Six minutes late: the same token, a fresh position."""
    screening = await town.show(starts_in=-6)
    sold = await town.sell(screening)
    await town.is_enriched(sold.correlation_id)
    grant = await town.grant(await town.claim(sold), sold)
    later = NOW + timedelta(minutes=6)
    await town.change_screening(screening.showtime_id, movie_start=later)
    text = await town.text(media_path(grant))
    assert "#EXT-X-START:TIME-OFFSET=0.000000" in text
    assert "#EXT-X-PROGRAM-DATE-TIME:2027-03-05T19:36:02.500Z" in text


async def test_who_saves_data_begins_with_the_smallest(
    town_with_own_tracks: Town, track: Track
) -> None:
    """Whatever order the track has; it is said that the answer depends on it."""
    town = town_with_own_tracks
    folder = town.folder / "media" / track.prefix
    largest_first = tuple(
        sorted(track.renditions, key=lambda rendition: rendition.average_bps, reverse=True)
    )
    turned = track.model_copy(update={"renditions": largest_first})
    (folder / "track.json").write_bytes(dump_track(turned))
    grant = await granted(town, starts_in=-6)

    async def rates(path: str, **headers: str) -> list[int]:
        async with town.tell.get(path, headers=headers) as answer:
            assert answer.headers["Vary"] == "Save-Data, Accept-Encoding"
            listed = m3u8.loads(await answer.text()).playlists
        return [each.stream_info.bandwidth for each in listed]

    for path in (grant["hls"], grant["hls_opus"]):
        usual = await rates(path)
        assert usual == sorted(usual, reverse=True)
        assert await rates(path, **{"Save-Data": "off"}) == usual
        assert await rates(path, **{"Save-Data": "on"}) == usual[::-1]


async def test_now_begins_at_the_fragment_that_sounds(town: Town, track: Track) -> None:
    """Its URIs are from the root, since it lies under another token."""
    grant = await granted(town, starts_in=-8)
    text = await town.text(grant["now"])
    rendition = track.rendition("aac-64k")
    assert rendition is not None
    zero_at = NOW + timedelta(seconds=-8 + TRACK_OFFSET_S)
    prefix = f"/stream/{token_in(text)}/"
    assert text == hls.now_playlist(track, rendition, 8 - TRACK_OFFSET_S, zero_at, prefix)
    low = await town.text(f"{grant['now']}?rendition=aac-32k")
    assert f"{prefix}aac-32k.mp4" in low
    problem = await town.problem(f"{grant['now']}?rendition=flac-900k")
    assert (problem["status"], problem["code"]) == (404, "not-found")
    problem = await town.problem(f"{grant['now']}?rendition=..")
    assert (problem["status"], problem["code"]) == (400, "invalid-query")


async def test_the_narrators_pauses_are_those_of_the_track(town: Town, track: Track) -> None:
    """In samples, in order: where an app may correct itself unheard."""
    grant = await granted(town)
    async with town.tell.get(grant["silences"]) as answer:
        assert answer.content_type == "application/json"
        pauses = await answer.json()
    assert track.silences is not None
    assert pauses == {
        "sample_rate_hz": 48_000,
        "silences": [list(pause) for pause in track.silences],
    }


async def test_the_mpd_names_every_rendition(town: Town, track: Track) -> None:
    """Text for text that of the track."""
    grant = await granted(town)
    async with town.tell.get(grant["dash"]) as answer:
        assert answer.content_type == dash.MEDIA_TYPE
        text = await answer.text()
    assert text == dash.mpd(track, token_in(text))


async def test_playlists_are_packed_only_for_those_who_take_it(town: Town) -> None:
    """Packed by Accept-Encoding, said in Vary, stored by nobody; HEAD tells the same."""
    grant = await granted(town)
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        url = town.tell.make_url(media_path(grant))
        async with session.get(url, headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            packed = await answer.read()
        async with session.get(url, headers={"Accept-Encoding": "gzip;q=0"}) as answer:
            assert "Content-Encoding" not in answer.headers
            plain = await answer.read()
        async with session.head(url, headers={"Accept-Encoding": "gzip"}) as head:
            assert head.status == 200
            assert await head.read() == b""
        for each in (answer, head):
            assert each.headers["Vary"] == "Accept-Encoding"
            assert each.headers["Cache-Control"] == "private, no-store"
            assert each.headers["Content-Type"] == hls.MEDIA_TYPE
    assert gzip.decompress(packed) == plain
    assert int(head.headers["Content-Length"]) == len(packed)


async def test_an_access_token_lives_ten_minutes(town: Town) -> None:
    """What it named stays open: a stream token lives until the margin's end."""
    grant = await granted(town)
    stream = media_path(grant)
    town.clock.advance(seconds=599)
    await town.text(grant["hls"])
    town.clock.advance(seconds=1)
    for path in (grant["hls"], grant["hls_opus"], grant["now"], grant["dash"]):
        problem = await town.problem(path)
        assert (problem["status"], problem["code"]) == (403, "token-refused")
    await town.text(stream)
    town.clock.advance(hours=3)
    problem = await town.problem(stream)
    assert (problem["status"], problem["code"]) == (403, "token-refused")


async def test_a_token_opens_only_what_it_is_for(town: Town) -> None:
    """Access for Multivariant, now and MPD; stream for Media Playlists and files."""
    grant = await granted(town)
    access = grant["hls"].split("/")[2]
    stream = grant["downloads"][0]["url"].split("/")[2]
    wrong = [f"/stream/{access}/{name}" for name in ("aac-64k.m3u8", "aac-64k.mp4")]
    wrong += [
        f"/stream/{stream}/{name}" for name in ("main.m3u8", "opus.m3u8", "now.m3u8", "main.mpd")
    ]
    for path in wrong:
        problem = await town.problem(path)
        assert (problem["status"], problem["code"]) == (403, "token-refused")


async def test_a_changed_token_opens_nothing(town: Town) -> None:
    """One character anywhere, another film's fields, or a stranger's key."""
    grant = await granted(town)
    access = grant["hls"].split("/")[2]
    stranger = Tokens(Keyring([("k1", bytes(range(32)))]))
    forged = [
        *(
            access[:index] + ("A" if access[index] != "A" else "B") + access[index + 1 :]
            for index in range(0, len(access), 7)
        ),
        access.replace("the-general", "nosferatu"),
        access + "A",
        access[:-1],
        "x",
        "%F0%9F%8E%AC",
        "a" * 5000,
        stranger.claim_code("a" * 20),
    ]
    details = set()
    for token in forged:
        problem = await town.problem(f"/stream/{token}/main.m3u8")
        assert (problem["status"], problem["code"]) == (403, "token-refused")
        details.add(problem["detail"])
    assert len(details) == 1


async def test_a_cancelled_or_ended_screening_shuts_every_address(town: Town) -> None:
    """410 for tokens that are still alive, files included."""
    screening = await town.show()
    sold = await town.sell(screening)
    await town.is_enriched(sold.correlation_id)
    grant = await town.grant(await town.claim(sold), sold)
    paths = [
        *(grant[name] for name in ("hls", "hls_opus", "now", "dash")),
        media_path(grant),
        media_path(grant, "aac-64k.mp4"),
    ]
    await town.change_screening(
        screening.showtime_id,
        movie_start=NOW - timedelta(hours=3),
        previews_start=NOW - timedelta(hours=3),
        credits_end=NOW - timedelta(hours=2),
    )
    for path in paths:
        problem = await town.problem(path)
        assert (problem["status"], problem["code"]) == (410, "screening-ended")
    await town.change_screening(screening.showtime_id, status=ScreeningStatus.CANCELLED)
    for path in paths:
        problem = await town.problem(path)
        assert (problem["status"], problem["code"]) == (410, "screening-cancelled")
        assert problem["correlation_id"] == sold.correlation_id


async def test_a_rendition_that_is_not_there_is_404(town: Town) -> None:
    """With the names of those that are."""
    grant = await granted(town)
    problem = await town.problem(media_path(grant, "aac-999k.m3u8"))
    assert (problem["status"], problem["code"]) == (404, "not-found")
    assert "aac-64k" in problem["detail"]
    problem = await town.problem(media_path(grant, "../track.json"))
    assert (problem["status"], problem["code"]) == (404, "not-found")


async def test_a_ticket_for_another_screening_than_the_token_s_is_refused(town: Town) -> None:
    """A token is for one screening, not for whatever the ticket becomes."""
    sold, _ = await town.ticket()
    secrets = load_secrets(town.settings)
    tokens = Tokens(secrets.keyring, secrets.media)
    town_grant = await town.grant(await town.claim(sold), sold)
    claims = tokens.read_stream_token(
        town_grant["downloads"][0]["url"].split("/")[2], town.clock.now
    )
    other = tokens.stream_token(replace(claims, screening=claims.screening + 1))
    problem = await town.problem(f"/stream/{other}/aac-64k.mp4")
    assert (problem["status"], problem["code"]) == (403, "token-refused")
