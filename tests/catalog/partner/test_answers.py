from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from catalog.errors import (
    BreakerOpenError,
    PartnerAnswerError,
    PartnerUnavailableError,
    ScreeningUnknownError,
    ShowtimeEchoError,
)
from catalog.partner.answer_cache import AnswerCache
from catalog.partner.answers import AnswerOutcome, AnswerRules, Answers
from catalog.partner.breaker import BreakerRules, BreakerState
from catalog.partner.client import PartnerClient
from catalog.partner.details import Question, ScreeningDetails
from tests.catalog.samples import EVENING, Clock, PartnerServer, failing, garbage

RULES = AnswerRules(
    fresh=timedelta(seconds=30),
    stale=timedelta(hours=1),
    tries=1,
    wait_s=0.0,
    tries_within_s=5.0,
    breaker=BreakerRules(
        failures=3,
        first=timedelta(seconds=5),
        longest=timedelta(seconds=60),
        trial=timedelta(seconds=10),
    ),
)
QUERY = ("steamboat", "grand-lake", "7", "st-1")
NOW = timedelta(0)


class EtagServer(PartnerServer):
    """A partner that answers with an ETag of its content, and 304 to who has it."""

    def __init__(self) -> None:
        super().__init__()
        self.etag = '"v1"'
        self.conditions: list[str | None] = []

    async def details(self, request: web.Request) -> web.StreamResponse:
        self.conditions.append(request.headers.get("If-None-Match"))
        answer = await super().details(request)
        if answer.content_type == "application/json" and answer.status == 200:
            if self.conditions[-1] == self.etag:
                answer = web.Response(status=304)
            answer.headers["ETag"] = self.etag
        return answer


@pytest.fixture
async def partner() -> EtagServer:
    """The partner's answers."""
    return EtagServer()


@pytest.fixture
async def cache() -> AsyncIterator[AnswerCache]:
    """A cache in memory."""
    opened = AnswerCache("mem://", timedelta(days=1))
    yield opened
    await opened.close()


@pytest.fixture
def outcomes() -> list[AnswerOutcome]:
    """What was counted."""
    return []


@pytest.fixture
def turns() -> list[BreakerState]:
    """How the breaker turned."""
    return []


@pytest.fixture
async def answers(
    client: PartnerClient,
    cache: AnswerCache,
    clock: Clock,
    outcomes: list[AnswerOutcome],
    turns: list[BreakerState],
) -> AsyncIterator[Answers]:
    """Answers of the partner: fresh for 30 s, serving for an hour, one try each."""
    opened = Answers(
        "prod", client, cache, clock, RULES, on_outcome=outcomes.append, on_turn=turns.append
    )
    yield opened
    await opened.close()


async def trip(answers: Answers, partner: PartnerServer) -> None:
    """Open the breaker."""
    partner.answer = failing(503)
    for _ in range(3):
        with pytest.raises(PartnerUnavailableError):
            await answers.screening_details(*QUERY)


async def test_a_fresh_answer_costs_no_request(
    answers: Answers, partner: EtagServer, clock: Clock, outcomes: list[AnswerOutcome]
) -> None:
    """For 30 s the next purchase of the showtime is answered from what is kept."""
    first = await answers.screening_details(*QUERY)
    clock.move(seconds=29)
    assert await answers.screening_details(*QUERY) == first
    assert len(partner.asked) == 1
    assert outcomes == [AnswerOutcome.FETCHED, AnswerOutcome.KEPT]


async def test_an_older_answer_is_asked_about_by_its_etag(
    answers: Answers, partner: EtagServer, clock: Clock, outcomes: list[AnswerOutcome]
) -> None:
    """304 makes it fresh again; another ETag brings another answer."""
    first = await answers.screening_details(*QUERY)
    clock.move(seconds=30)
    assert await answers.screening_details(*QUERY) == first
    clock.move(seconds=29)
    await answers.screening_details(*QUERY)
    assert partner.conditions == [None, '"v1"']
    partner.etag = '"v2"'
    partner.changes = {"revision": 2, "movie_start": "2026-03-06T19:56:00Z"}
    clock.move(seconds=1)
    second = await answers.screening_details(*QUERY)
    assert second.revision == 2
    assert partner.conditions == [None, '"v1"', '"v1"']
    assert outcomes == [
        AnswerOutcome.FETCHED,
        AnswerOutcome.CONFIRMED,
        AnswerOutcome.KEPT,
        AnswerOutcome.FETCHED,
    ]


async def test_who_wants_it_fresh_gets_it_fresh(answers: Answers, partner: EtagServer) -> None:
    """Polling asks the partner each time, by the ETag, and takes nothing old for it."""
    await answers.screening_details(*QUERY)
    await answers.screening_details(*QUERY, fresh=NOW, stale=NOW)
    assert partner.conditions == [None, '"v1"']
    partner.answer = failing(503)
    with pytest.raises(PartnerUnavailableError):
        await answers.screening_details(*QUERY, fresh=NOW, stale=NOW)


@pytest.mark.parametrize("answer", [failing(500), failing(503), failing(401), garbage])
async def test_an_old_answer_serves_while_the_partner_is_away(
    answers: Answers,
    partner: EtagServer,
    clock: Clock,
    outcomes: list[AnswerOutcome],
    answer: object,
) -> None:
    """For an hour what was last told stands in; after that there is no answer."""
    first = await answers.screening_details(*QUERY)
    partner.answer = answer  # type: ignore[assignment]  # one of several forms
    clock.move(minutes=59)
    assert await answers.screening_details(*QUERY) == first
    assert outcomes[-2:] == [AnswerOutcome.UNAVAILABLE, AnswerOutcome.STALE]
    clock.move(minutes=1)
    with pytest.raises(PartnerUnavailableError):
        await answers.screening_details(*QUERY)


async def test_an_old_answer_serves_while_the_breaker_is_open(
    answers: Answers, partner: EtagServer, clock: Clock
) -> None:
    """A ticket for a known showtime needs no partner, even when nobody asks it."""
    known = await answers.screening_details(*QUERY)
    await trip_with_other(answers, partner)
    assert answers.state is BreakerState.OPEN
    clock.move(seconds=31)
    partner.answer = failing(503)
    await expect_unavailable(answers, "st-8")
    assert answers.state is BreakerState.OPEN
    asked = len(partner.asked)
    assert await answers.screening_details(*QUERY) == known
    assert len(partner.asked) == asked


async def trip_with_other(answers: Answers, partner: PartnerServer) -> None:
    """Open the breaker by questions about another showtime."""
    partner.answer = failing(503)
    for _ in range(3):
        await expect_unavailable(answers, "st-9")


async def expect_unavailable(answers: Answers, showtime_id: str) -> None:
    """A question that gets no answer."""
    with pytest.raises(PartnerUnavailableError):
        await answers.screening_details(*QUERY[:3], showtime_id)


async def test_a_404_is_no_outage(
    answers: Answers, partner: EtagServer, clock: Clock, turns: list[BreakerState]
) -> None:
    """A partner that does not know a screening any more is believed, and the breaker stays."""
    await answers.screening_details(*QUERY)
    partner.answer = failing(404)
    clock.move(minutes=1)
    for _ in range(5):
        with pytest.raises(ScreeningUnknownError):
            await answers.screening_details(*QUERY)
    assert turns == []


async def test_a_wrong_answer_is_not_kept(answers: Answers, partner: EtagServer) -> None:
    """What cannot be true, or is of another showtime, is asked for again next time."""
    for changes, error in (
        ({"title": 7}, PartnerAnswerError),
        ({"showtime_id": "st-2"}, ShowtimeEchoError),
    ):
        partner.changes = changes
        with pytest.raises(error):
            await answers.screening_details(*QUERY)
    partner.changes = {}
    assert (await answers.screening_details(*QUERY)).title == "Steamboat Bill, Jr."


async def test_the_breaker_stops_the_asking_and_one_trial_ends_it(
    answers: Answers, partner: EtagServer, clock: Clock, turns: list[BreakerState]
) -> None:
    """Three failures open it; five seconds later one look-up tries, and its success closes it."""
    await trip(answers, partner)
    with pytest.raises(BreakerOpenError) as refused:
        await answers.screening_details(*QUERY)
    assert refused.value.retry_at == EVENING + timedelta(seconds=5)
    assert len(partner.asked) == 3
    clock.move(seconds=5)
    assert answers.state is BreakerState.HALF_OPEN
    partner.answer = None
    await answers.screening_details(*QUERY)
    assert turns == [BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED]


async def test_only_one_tries_while_half_open(
    answers: Answers, partner: EtagServer, clock: Clock
) -> None:
    """A second look-up during the trial is refused, and goes through after it."""
    await trip(answers, partner)
    clock.move(seconds=5)
    partner.answer = None
    partner.came.clear()
    partner.open.clear()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        trial = group.create_task(answers.screening_details(*QUERY))
        await partner.came.wait()
        with pytest.raises(BreakerOpenError):
            await answers.screening_details(*QUERY[:3], "st-2")
        partner.open.set()
        await trial
        await answers.screening_details(*QUERY[:3], "st-2")


async def test_a_trial_that_is_dropped_leaves_room_for_another(
    answers: Answers, partner: EtagServer, clock: Clock
) -> None:
    """Closing in the middle of a trial tells nothing of the partner."""
    await trip(answers, partner)
    clock.move(seconds=5)
    partner.answer = None
    partner.came.clear()
    partner.open.clear()
    async with asyncio.timeout(20):
        trial = asyncio.create_task(answers.screening_details(*QUERY))
        await partner.came.wait()
        await answers.close()
        assert isinstance((await asyncio.gather(trial, return_exceptions=True))[0], BaseException)
        partner.open.set()
        await answers.screening_details(*QUERY)


async def test_equal_questions_are_one_request(answers: Answers, partner: EtagServer) -> None:
    """Ten at the same time cost one request; one that goes away takes no answer from the others."""
    partner.open.clear()
    async with asyncio.timeout(20):
        asking = [asyncio.create_task(answers.screening_details(*QUERY)) for _ in range(10)]
        await partner.came.wait()
        asking[0].cancel()
        partner.open.set()
        results = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert len({result for result in results[1:] if isinstance(result, ScreeningDetails)}) == 1
    assert not [result for result in results[1:] if isinstance(result, BaseException)]
    assert len(partner.asked) == 1


@pytest.mark.parametrize(("status", "asked"), [(500, 3), (503, 3), (429, 1), (401, 1)])
async def test_what_often_passes_is_tried_again_at_once(
    client: PartnerClient,
    cache: AnswerCache,
    clock: Clock,
    partner: EtagServer,
    status: int,
    asked: int,
) -> None:
    """A server's own failure gets three quick tries; a refusal is not made better by asking."""
    rules = AnswerRules(
        fresh=RULES.fresh,
        stale=RULES.stale,
        tries=3,
        wait_s=0.0,
        tries_within_s=20.0,
        breaker=RULES.breaker,
    )
    answers = Answers("prod", client, cache, clock, rules)
    partner.answer = failing(status)
    with pytest.raises(PartnerUnavailableError, match=f"status-{status}"):
        await answers.screening_details(*QUERY)
    assert len(partner.asked) == asked
    await answers.close()


async def test_a_quick_try_helps(
    client: PartnerClient, cache: AnswerCache, clock: Clock, partner: EtagServer
) -> None:
    """The second try's answer is the answer: nobody hears of the first."""

    def once() -> web.StreamResponse:
        partner.answer = None
        return web.Response(status=502)

    rules = AnswerRules(RULES.fresh, RULES.stale, 2, 0.0, 20.0, RULES.breaker)
    answers = Answers("prod", client, cache, clock, rules)
    partner.answer = once
    assert (await answers.screening_details(*QUERY)).showtime_id == "st-1"
    await answers.close()


async def test_showings_pass_the_breaker_too(
    answers: Answers, partner: EtagServer, clock: Clock
) -> None:
    """The list of what is possible is never kept, and not asked for while the breaker is open."""
    question = Question(*QUERY)
    partner.showings = []
    for _ in range(2):
        assert await answers.showings(question, EVENING) == []
    assert len(partner.listed) == 2
    await trip(answers, partner)
    with pytest.raises(BreakerOpenError):
        await answers.showings(question, EVENING)


async def test_partners_are_kept_apart_in_one_cache(
    answers: Answers, cache: AnswerCache, clock: Clock, partner: EtagServer
) -> None:
    """Equal ids of two environments are two questions: a staging answer is no production answer."""
    await answers.screening_details(*QUERY)
    other = PartnerServer()
    other.changes = {"title": "Staging"}
    app = web.Application()
    app.router.add_get("/screening/details", other.details)
    async with TestServer(app) as server, ClientSession() as session:
        staging = PartnerClient(session, str(server.make_url("/")), timeout_s=5)
        theirs = Answers("staging", staging, cache, clock, RULES)
        assert (await theirs.screening_details(*QUERY)).title == "Staging"
        await theirs.close()
