"""`/ops`: the log-in, tonight, a correction in two steps, parked purchases, and what goes wrong."""

from __future__ import annotations

import asyncio
import json
import re
from html import unescape
from typing import Any

import pytest

from gateway.ops.sessions import COOKIE, LIFETIME
from gateway.secrets import load_secrets
from tests.gateway.streams import PATIENCE_S, listening
from tests.gateway.town import Clients, Town, bearer, open_town, playback


class Hand:
    """An operator with a browser."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.cookie = ""

    async def log_in(self) -> Hand:
        """By the token that the start made."""
        token = load_secrets(self.town.settings).operator
        status, _ = await self.post("/ops/login", token=token or "")
        assert status == 303
        return self

    @property
    def headers(self) -> dict[str, str]:
        """What her browser sends."""
        return {"Cookie": f"{COOKIE}={self.cookie}"} if self.cookie else {}

    async def get(self, path: str) -> tuple[int, str]:
        """Status and text of a page."""
        async with self.town.tell.get(path, headers=self.headers) as answer:
            assert answer.content_type == "text/html"
            policy = answer.headers["Content-Security-Policy"]
            assert "unsafe" not in policy
            assert answer.headers["Cache-Control"] == "no-store"
            text = await answer.text()
        assert not re.search(r"<script>|<style|style=|\son\w+=", text), "nothing is inline"
        return answer.status, text

    async def page(self, path: str) -> str:
        """A good page's text, with its markup taken out."""
        status, text = await self.get(path)
        assert status == 200, text
        return words(text)

    async def post(self, path: str, **fields: str) -> tuple[int, str]:
        """Status, and where it leads or what it says."""
        options: dict[str, Any] = {"data": fields, "headers": self.headers}
        async with self.town.tell.post(path, allow_redirects=False, **options) as answer:
            if COOKIE in answer.cookies:
                self.cookie = answer.cookies[COOKIE].value
            said = answer.headers.get("Location") or words(await answer.text())
            return answer.status, said

    async def fields(self, path: str) -> dict[str, str]:
        """The hidden fields of the last form of a page."""
        _, text = await self.get(path)
        last = text.rpartition("<form")[2]
        return {name: unescape(value) for name, value in _FIELD.findall(last)}


_FIELD = re.compile(r'type="hidden" name="(\w+)" value="([^"]*)"')


def words(html: str) -> str:
    """What is to be read on a page."""
    body = html.partition("<body>")[2] or html
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.fixture
async def hand(town: Town) -> Hand:
    """An operator who is in."""
    return await Hand(town).log_in()


async def test_without_a_session_every_page_asks_for_the_token(town: Town) -> None:
    """401 with the form; nothing of the evening is in it, and it leads nowhere else."""
    stranger = Hand(town)
    await town.ticket()
    for path in ("/ops", "/ops/screenings/local/st-1", "/ops/events", "/ops?done=retried"):
        status, text = await stranger.get(path)
        assert status == 401
        assert "Operator's token" in words(text)
        assert "The General" not in text
    for path in ("/ops/purchases/retry", "/ops/logout", "/ops/screenings/local/x/correction"):
        assert (await stranger.post(path, form_token="x"))[0] == 401
    stranger.cookie = "o1~1.x~0"
    assert (await stranger.get("/ops"))[0] == 401


async def test_the_cookie_is_for_the_server_s_eyes_alone(town: Town) -> None:
    """HttpOnly, SameSite=Strict, for /ops; Secure, since this Tell is called by HTTPS."""
    token = load_secrets(town.settings).operator
    options: dict[str, Any] = {"data": {"token": token}, "allow_redirects": False}
    async with town.tell.post("/ops/login", **options) as answer:
        (said,) = answer.headers.getall("Set-Cookie")
    for part in ("HttpOnly", "SameSite=Strict", "Path=/ops", "Secure", "Max-Age=43200"):
        assert part in said
    assert token is not None
    assert token not in said


@pytest.mark.usefixtures("one_window")
async def test_wrong_tokens_are_few(town: Town) -> None:
    """Ten in a minute, then 429, for the right one too."""
    hand = Hand(town)
    for _ in range(10):
        assert (await hand.post("/ops/login", token="wrong"))[0] == 401
    status, said = await hand.post("/ops/login", token=load_secrets(town.settings).operator or "")
    assert status == 429
    assert "try again in" in said
    metrics = await town.text("/metrics")
    name = 'tell_tokens_refused_total{purpose="operator",reason="operator-refused"}'
    assert f"{name} 10.0" in metrics


async def test_without_a_token_the_page_is_closed(town: Town, clients_town: Town) -> None:
    """404 that says how to make one; no token is no way in."""
    status, text = await Hand(clients_town).get("/ops")
    assert status == 404
    assert "tell keys init" in text
    assert (await Hand(clients_town).post("/ops/login", token=""))[0] in {404, 422}


@pytest.fixture
async def clients_town(town: Town, aiohttp_client: Clients) -> Town:
    """A town whose operator has no token."""
    return await open_town(
        town.folder,
        town.folder,
        town.amc,
        town.clock,
        aiohttp_client,
        town.settings.database.url,
        secrets=town.settings.secrets.model_copy(
            update={"ops_token": str(town.folder / "no-such.token")}
        ),
    )


async def test_a_session_ends(hand: Hand) -> None:
    """By the button, and by itself after twelve hours."""
    assert (await hand.get("/ops"))[0] == 200
    form = await hand.fields("/ops")
    kept = hand.cookie
    assert await hand.post("/ops/logout", form_token=form["form_token"]) == (303, "/ops")
    assert hand.cookie == ""
    hand.cookie = kept
    hand.town.clock.advance(seconds=LIFETIME.total_seconds())
    status, text = await hand.get("/ops")
    assert status == 401
    assert "the session is over" in text


async def test_logging_out_ends_the_session_for_a_copied_cookie_too(hand: Hand) -> None:
    """Its pages, its forms and its open streams; another session of hers goes on."""
    town = hand.town
    other = await Hand(town).log_in()
    form = await hand.fields("/ops")
    kept = hand.cookie
    async with town.tell.get("/ops/events", headers=hand.headers) as events:
        await _sections(events)
        assert await hand.post("/ops/logout", form_token=form["form_token"]) == (303, "/ops")
        async with asyncio.timeout(PATIENCE_S):
            assert "event: over" in (await events.content.read()).decode()
    hand.cookie = kept
    for path in ("/ops", "/ops/events"):
        status, text = await hand.get(path)
        assert status == 401, path
        assert "the session is over" in text
    assert (await hand.post("/ops/purchases/retry", **form))[0] == 401
    assert (await hand.post("/ops/logout", **form))[0] == 401
    assert (await other.get("/ops"))[0] == 200


async def test_a_form_of_another_site_changes_nothing(hand: Hand) -> None:
    """Not without the page's token, not with another session's, and not from another site."""
    other = await Hand(hand.town).log_in()
    foreign = (await other.fields("/ops"))["form_token"]
    mine = (await hand.fields("/ops"))["form_token"]
    assert (await hand.post("/ops/purchases/retry"))[0] == 422
    assert (await hand.post("/ops/purchases/retry", form_token=foreign))[0] == 401
    headers = {**hand.headers, "Sec-Fetch-Site": "cross-site"}
    options: dict[str, Any] = {"data": {"form_token": mine}, "headers": headers}
    async with hand.town.tell.post("/ops/purchases/retry", **options) as answer:
        assert answer.status == 401
    assert await hand.post("/ops/purchases/retry", form_token=mine) == (303, "/ops?done=nothing")


@pytest.mark.both_databases
async def test_tonight_is_on_the_page(town: Town) -> None:
    """What runs, by whose word, who listens (never one or two), what works, what is missing."""
    hand = await Hand(town).log_in()
    assert "Nothing needs you." in await hand.page("/ops")
    await town.ticket(starts_in=-600)
    undescribed = await town.show("sherlock-jr", starts_in=3600)
    await town.is_enriched((await town.sell(undescribed)).correlation_id)
    town.clock.advance(minutes=1)
    page = await hand.page("/ops")
    assert "Nobody will hear Sherlock Jr." in page
    assert "no track is published" in page
    assert "in 59 min" in page
    assert "1 screening running, <3 listeners now." in page
    assert "the film runs <3 fewer than 3 reports" in page
    assert "by the schedule" not in page.partition("Changes")[2]
    assert "database works ok" in page
    alarms, screenings = page.index("Alarms"), page.index("Screenings tonight")
    assert alarms < page.index("Nobody will hear") < screenings


async def test_three_listeners_and_how_it_fits_are_shown(hand: Hand) -> None:
    """From three on a number, and the quality of what they reported."""
    town = hand.town
    screening = await town.show(starts_in=-60)
    for number in range(3):
        sold = await town.sell(screening)
        await town.is_enriched(sold.correlation_id)
        listener = await town.claim(sold, f"device-nonce-{number:04}")
        changes = {"error_ms": 10 * number, "bound_ms": 25, "rebuffers": number}
        report = playback(sold.correlation_id, **changes)
        await town.tell.post("/tell/playback", json=report, headers=bearer(listener))
    page = await hand.page("/ops")
    assert "1 screening running, 3 listeners now." in page
    assert "3 67% within 40 ms, mean 35 ms, worst 45 ms, 3 holes" in page
    own = await hand.page(f"/ops/screenings/local/{screening.showtime_id}")
    assert "Listeners now 3" in own


@pytest.mark.both_databases
async def test_a_correction_is_looked_at_and_then_done(town: Town) -> None:
    """Nothing changes by looking; confirmed, all who listen hear of it and the history has it."""
    hand = await Hand(town).log_in()
    sold, listener = await town.ticket(starts_in=-600)
    showtime = json.loads(sold.body)["showtime_id"]
    path = f"/ops/screenings/local/{showtime}"
    effect = await hand.page(f"{path}/correction?action=delay&minutes=6")
    assert "6 min later: what they hear goes back by as much" in effect
    assert "10 min; it would be at 4 min" in effect
    assert "Listeners now <3" in effect
    assert "by the schedule, ± 5 min" in await hand.page(path)
    form = await hand.fields(f"{path}/correction?action=delay&minutes=6")
    async with listening(town.tell, listener) as ears:
        status, location = await hand.post(f"{path}/correction", **form, note="late house")
        assert (status, location) == (303, f"{path}?done=corrected")
        assert (await ears.next()).data["ticket"]["movie_start_source"] == "operator"
    page = await hand.page(location)
    assert "The start is corrected. Listeners are being told." in page
    assert "by the operator, ± 1 min" in page
    assert "late house" in page
    assert "by the operator, ± 1 min: late house" in await hand.page("/ops")
    # The same form again: the start is another by now.
    status, said = await hand.post(f"{path}/correction", **form)
    assert status == 409
    assert "look at it again" in said
    form = await hand.fields(f"{path}/correction?action=clear")
    assert "movie_start" not in form
    assert (await hand.post(f"{path}/correction", **form))[1] == f"{path}?done=cleared"
    assert "by the schedule, ± 5 min" in await hand.page(path)


async def test_a_film_starts_now_or_at_a_time(hand: Hand) -> None:
    """The time is the theater's own; what is no time is said."""
    screening = await hand.town.show(starts_in=300)
    await hand.town.is_enriched((await hand.town.sell(screening)).correlation_id)
    path = f"/ops/screenings/local/{screening.showtime_id}/correction"
    assert "5 min earlier: what they hear goes on" in await hand.page(f"{path}?action=now")
    assert "later:" in await hand.page(f"{path}?action=at&time=23:59")
    for wrong in ("?action=at&time=7", "?action=delay&minutes=x", "?action=away", ""):
        assert (await hand.get(f"{path}{wrong}"))[0] == 400
    far = await hand.fields(f"{path}?action=delay&minutes=720")
    far["movie_start"] = far["movie_start"].replace("2027", "2028")
    status, said = await hand.post(path, **far)
    assert status == 409
    assert "twelve hours" in said


async def test_a_screening_that_is_not_there_is_a_page(hand: Hand) -> None:
    """404 for people, with a way back; its name is only text."""
    status, text = await hand.get("/ops/screenings/local/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert status == 404
    assert "<script>alert" not in text
    assert "Back to tonight" in text
    assert (await hand.get("/ops/nothing/here"))[0] == 404


async def test_a_parked_purchase_is_looked_up_again(hand: Hand) -> None:
    """With its reason on the page; the button frees it, as the command does."""
    town = hand.town
    sold, _ = await town.ticket()
    async with town.database() as database, database.write() as connection:
        await connection.exec_driver_sql(
            "UPDATE purchases SET state = 'parked', screening_id = NULL, "
            "failure_code = 'no-showtime', failure_detail = '<b>names none</b>'"
        )
    town.clock.advance(seconds=5)
    page = await hand.page("/ops")
    assert "1 purchase of local needs a person." in page
    assert "no-showtime: <b>names none</b>" in page
    form = await hand.fields("/ops")
    town.enriched.pop(sold.correlation_id)
    path = f"/ops/purchases/{sold.correlation_id}/retry"
    assert await hand.post(path, **form) == (303, "/ops?done=retried")
    await town.is_enriched(sold.correlation_id)
    town.clock.advance(seconds=5)
    assert "There are none." in await hand.page("/ops")
    assert (await hand.post(path, **form))[0] == 409
    assert (await hand.post(f"/ops/purchases/{'a' * 20}/retry", **form))[0] == 404


async def test_the_page_follows_by_itself(hand: Hand) -> None:
    """All sections first, then those alone that are other than before, and the session's end."""
    town = hand.town
    async with town.tell.get("/ops/events", headers=hand.headers) as events:
        assert events.content_type == "text/event-stream"
        assert set(await _sections(events)) == {
            *("taken", "alarms", "screenings", "parked", "changes", "parts")
        }
        undescribed = await town.show("sherlock-jr", starts_in=3600)
        await town.is_enriched((await town.sell(undescribed)).correlation_id)
        town.clock.advance(minutes=1)
        news = await _sections(events)
        assert {"taken", "alarms", "screenings"} <= set(news)
        assert "changes" not in news
        assert "Nobody will hear Sherlock Jr." in words(news["alarms"])
        town.clock.advance(seconds=LIFETIME.total_seconds())
        async with asyncio.timeout(PATIENCE_S):
            assert "event: over" in (await events.content.read()).decode()


async def test_it_says_when_the_database_is_away(hand: Hand) -> None:
    """And since when what is shown is old; the page itself cannot be made then."""
    town = hand.town
    await hand.page("/ops")
    await town.break_database()
    town.clock.advance(minutes=1)
    async with town.tell.get("/ops/events", headers=hand.headers) as events:
        assert "The database does not answer" in (await _sections(events))["taken"]
    assert (await hand.get("/ops"))[0] == 503


async def test_the_files_of_the_pages_are_there_and_nothing_else(town: Town) -> None:
    """Script and style, without a session; the listener's worker knows none of them."""
    for name, media_type in (("ops.js", "text/javascript"), ("ops.css", "text/css")):
        async with town.tell.get(f"/ops/static/{name}") as answer:
            assert (answer.status, answer.content_type) == (200, media_type)
    async with town.tell.get("/ops/static/index.html") as answer:
        assert answer.status == 404
    assert "/ops" not in (await town.text("/app/sw.js")).partition("SHELL = ")[2].partition("\n")[0]


async def _sections(events: Any) -> dict[str, str]:
    """The next change that is sent."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            line = (await events.content.readline()).decode()
            assert line, "the stream has ended"
            if line.startswith("data: "):
                found: dict[str, str] = json.loads(line.removeprefix("data: "))
                return found
