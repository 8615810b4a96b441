"""POST /tell/purchase: signed, checked, durable, and nothing stored on any refusal."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from multidict import CIMultiDict
from sqlalchemy import select

from catalog.keys.webhook_keys import KeyStore
from catalog.keys.webhooks import sign_webhook
from catalog.store.schema import purchases
from gateway.keys import DATABASE, WEBHOOK_KEYS
from gateway.secrets import load_secrets
from gateway.settings import PurchasesSettings
from tests.gateway.town import (
    PATIENCE_S,
    PUBLIC_URL,
    Clients,
    HandClock,
    Town,
    checked_problem,
    open_town,
)

PATH = "/tell/purchase"


async def refused(town: Town, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    """The problem with which a purchase is refused, once it is sure that nothing was stored."""
    async with town.tell.post(PATH, data=body, headers=headers) as answer:
        problem = await checked_problem(answer.status, answer.headers["Content-Type"], answer)
        if answer.status == 401:
            assert "WWW-Authenticate" in answer.headers
    assert await town.purchases() == 0
    return problem


@pytest.mark.both_databases
async def test_a_sold_ticket_is_answered_with_202_and_a_link(town: Town) -> None:
    """correlation_id names the purchase, and the link's fragment opens it."""
    body = json.dumps(town.notice(await town.show())).encode()
    async with town.tell.post(PATH, data=body, headers=town.sign(body)) as answer:
        assert answer.status == 202
        assert answer.headers["Cache-Control"] == "private, no-store"
        data = await answer.json()
    assert set(data) == {"correlation_id", "listen_url"}
    page, _, code = data["listen_url"].partition("#")
    assert page == f"{PUBLIC_URL}/listen"
    assert len(data["correlation_id"]) == 20
    assert code
    assert await town.purchases() == 1


@pytest.mark.both_databases
async def test_the_same_purchase_again_gives_the_same_answer(town: Town) -> None:
    """A retry of the partner, with a new signature and a new webhook-id, changes nothing."""
    body = json.dumps(town.notice(await town.show())).encode()
    answers = []
    for webhook_id in ("msg_1", "msg_1", "msg_2"):
        headers = town.sign(body, webhook_id)
        async with town.tell.post(PATH, data=body, headers=headers) as answer:
            assert answer.status == 202
            answers.append(await answer.json())
        town.clock.advance(seconds=30)
    assert answers[0] == answers[1] == answers[2]
    assert await town.purchases() == 1


@pytest.mark.both_databases
async def test_the_same_purchase_id_with_other_fields_is_a_conflict(town: Town) -> None:
    """409 names the fields and the purchase that it is about."""
    notice = town.notice(await town.show())
    body = json.dumps(notice).encode()
    async with town.tell.post(PATH, data=body, headers=town.sign(body)) as answer:
        correlation_id = (await answer.json())["correlation_id"]
    changed = json.dumps({**notice, "auditorium_number": "77"}).encode()
    problem = await town.problem(PATH, "POST", data=changed, headers=town.sign(changed))
    assert (problem["status"], problem["code"]) == (409, "purchase-conflict")
    assert problem["correlation_id"] == correlation_id
    assert [error["field"] for error in problem["errors"]] == ["auditorium_number"]
    assert await town.purchases() == 1


@pytest.mark.both_databases
async def test_a_webhook_id_is_one_message_only(town: Town) -> None:
    """Another body under the same id is refused by its own code, and the first one stays."""
    first, second = (
        json.dumps(town.notice(await town.show())).encode(),
        json.dumps(town.notice(await town.show())).encode(),
    )
    async with town.tell.post(PATH, data=first, headers=town.sign(first, "msg_1")) as answer:
        assert answer.status == 202
        accepted = await answer.json()
    problem = await town.problem(PATH, "POST", data=second, headers=town.sign(second, "msg_1"))
    assert (problem["status"], problem["code"]) == (409, "webhook-id-reused")
    async with town.tell.post(PATH, data=first, headers=town.sign(first, "msg_1")) as answer:
        assert await answer.json() == accepted
    assert await town.purchases() == 1
    async with town.tell.post(PATH, data=second, headers=town.sign(second, "msg_2")) as answer:
        assert answer.status == 202


@pytest.mark.both_databases
async def test_the_trace_of_the_sale_goes_on(town: Town) -> None:
    """A valid traceparent is kept with the purchase; another one is as if it had not come."""
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    for value in (trace, "00-nonsense"):
        body = json.dumps(town.notice(await town.show())).encode()
        headers = town.sign(body) | {"traceparent": value}
        async with town.tell.post(PATH, data=body, headers=headers) as answer:
            assert answer.status == 202
    async with town.database() as database, database.read() as connection:
        kept = await connection.scalars(select(purchases.c.traceparent).order_by(purchases.c.id))
        assert list(kept) == [trace, None]


async def test_a_revoked_key_is_refused_within_seconds(town: Town) -> None:
    """Without a restart; a key that was made meanwhile is good as soon."""
    body = json.dumps(town.notice(await town.show())).encode()
    assert isinstance(town.tell.server, TestServer)
    keys = town.tell.server.app[WEBHOOK_KEYS]
    other = b"n" * 32
    async with town.database() as database:
        store = KeyStore(database, load_secrets(town.settings).master, town.clock)
        await store.add("local", other)
        await store.revoke("local", "w1")
    async with asyncio.timeout(PATIENCE_S):
        await keys.read_again()
        await keys.read_again()
    assert (await refused(town, body, town.sign(body)))["code"] == "webhook-refused"
    headers = town.sign(body)
    stamp = int(headers["webhook-timestamp"])
    headers["webhook-signature"] = sign_webhook(other, headers["webhook-id"], stamp, body)
    async with town.tell.post(PATH, data=body, headers=headers) as answer:
        assert answer.status == 202
    metrics = await town.text("/metrics")
    assert 'tell_webhooks_verified_total{environment="local",key="w2"} 1.0' in metrics


@pytest.mark.parametrize(
    "name", ["x-api-key", "webhook-id", "webhook-timestamp", "webhook-signature"]
)
async def test_a_header_given_twice_is_401(town: Town, name: str) -> None:
    """A proxy in between may have read the other one."""
    body = json.dumps(town.notice(await town.show())).encode()
    signed = CIMultiDict(town.sign(body))
    signed.add(name, signed[name])
    async with town.tell.post(PATH, data=body, headers=signed) as answer:
        assert answer.status == 401
    assert await town.purchases() == 0


async def test_unknown_fields_are_ignored_and_counted(town: Town) -> None:
    """The partner may add fields before Tell knows them."""
    notice = town.notice(await town.show()) | {"seat": "F7", "loyalty": {"points": 3}}
    body = json.dumps(notice).encode()
    async with town.tell.post(PATH, data=body, headers=town.sign(body)) as answer:
        assert answer.status == 202
    metrics = await town.text("/metrics")
    assert 'tell_purchase_unknown_fields_total{environment="local"} 2.0' in metrics


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-signature", "v1,AAAA"),
        ("webhook-signature", "abc"),
        ("webhook-signature", ""),
        ("webhook-signature", None),
        ("webhook-id", "msg_other"),
        ("webhook-id", None),
        ("webhook-timestamp", None),
        ("webhook-timestamp", "soon"),
        ("webhook-timestamp", "9" * 400),
        ("webhook-timestamp", "-1"),
        ("x-api-key", "unknown"),
        ("x-api-key", None),
        ("x-api-key", "ключ"),
    ],
)
async def test_a_wrong_header_is_401_and_stores_nothing(
    town: Town, name: str, value: str | None
) -> None:
    """One message for every reason: a forger learns nothing."""
    body = json.dumps(town.notice(await town.show())).encode()
    headers = town.sign(body)
    headers.pop(name)
    if value is not None:
        headers[name] = value
    problem = await refused(town, body, headers)
    assert (problem["status"], problem["code"]) == (401, "webhook-refused")
    assert problem["detail"].startswith("Sign the raw body")


async def test_a_changed_body_is_401(town: Town) -> None:
    """The signature is over every byte."""
    body = json.dumps(town.notice(await town.show())).encode()
    headers = town.sign(body)
    assert (await refused(town, body + b" ", headers))["code"] == "webhook-refused"
    assert (await refused(town, b"not even JSON", headers))["code"] == "webhook-refused"


async def test_another_environment_s_secret_is_401(town: Town) -> None:
    """A signature by a secret that is not of the named key set opens nothing."""
    body = json.dumps(town.notice(await town.show())).encode()
    headers = town.sign(body)
    stamp = int(headers["webhook-timestamp"])
    headers["webhook-signature"] = sign_webhook(bytes(32), "msg_1", stamp, body)
    assert (await refused(town, body, headers))["code"] == "webhook-refused"


@pytest.mark.parametrize("age_s", [301, 86400, -301])
async def test_an_old_or_future_timestamp_is_401(town: Town, age_s: int) -> None:
    """Further than five minutes from Tell's clock, either way."""
    body = json.dumps(town.notice(await town.show())).encode()
    problem = await refused(town, body, town.sign(body, age_s=age_s))
    assert problem["code"] == "webhook-refused"


@pytest.mark.parametrize(
    "name",
    [
        "purchase_id",
        "movie_id",
        "place_id",
        "auditorium_number",
        "showtime_id",
        "purchased_at",
    ],
)
async def test_a_missing_field_is_422_by_its_name(town: Town, name: str) -> None:
    """All six are required."""
    notice = town.notice(await town.show())
    del notice[name]
    body = json.dumps(notice).encode()
    problem = await refused(town, body, town.sign(body))
    assert (problem["status"], problem["code"]) == (422, "invalid-body")
    assert [error["field"] for error in problem["errors"]] == [name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("movie_id", "../../etc/passwd"),
        ("movie_id", ".."),
        ("movie_id", "a/b"),
        ("purchased_at", "2027-03-05T19:30:00"),
        ("purchased_at", 1804275000),
        ("auditorium_number", 7),
        ("purchase_id", ""),
        ("purchase_id", "x" * 1000),
        ("showtime_id", "a\u0000b"),
        ("showtime_id", "\ud800"),
        ("place_id", None),
    ],
)
async def test_a_wrong_field_is_422_by_its_name(town: Town, name: str, value: object) -> None:
    """A naive time, a path in an id, a control character."""
    body = json.dumps(town.notice(await town.show()) | {name: value}).encode()
    problem = await refused(town, body, town.sign(body))
    assert (problem["status"], problem["code"]) == (422, "invalid-body")
    assert [error["field"] for error in problem["errors"]] == [name]


async def test_a_rightly_signed_body_that_is_no_json_is_400(town: Town) -> None:
    """Doubled keys included."""
    notice = json.dumps(town.notice(await town.show()))
    twice = notice[:-1] + ', "purchase_id": "another"}'
    for text in ("", "[]", "{", "NaN", '{"a": Infinity}', '{"a": 1e999}', "[" * 9000, twice):
        body = text.encode()
        problem = await refused(town, body, town.sign(body))
        assert (problem["status"], problem["code"]) == (400, "invalid-body")
    assert [error["field"] for error in problem["errors"]] == ["purchase_id"]


async def test_too_much_or_another_type_is_refused_before_it_is_read(town: Town) -> None:
    """413 and 415."""
    body = b"x" * 20_000
    assert (await refused(town, body, town.sign(body)))["code"] == "body-too-large"
    headers = town.sign(b"{}") | {"Content-Type": "text/plain"}
    assert (await refused(town, b"{}", headers))["code"] == "unsupported-media-type"


@pytest.mark.both_databases
async def test_a_purchase_of_an_unknown_showtime_is_taken_and_waits(town: Town) -> None:
    """Tell asks again later: 202 says that it is durable, not that it is known."""
    notice = town.notice(await town.show()) | {"showtime_id": "not-there-yet"}
    body = json.dumps(notice).encode()
    async with town.tell.post(PATH, data=body, headers=town.sign(body)) as answer:
        assert answer.status == 202


@pytest.mark.both_databases
async def test_many_purchases_at_once_are_all_kept(town: Town) -> None:
    """Each 202 has a purchase of its own."""
    screening = await town.show()
    sold = await asyncio.gather(*(town.sell(screening) for _ in range(120)))
    assert len({one.correlation_id for one in sold}) == 120
    assert await town.purchases() == 120


@pytest.mark.both_databases
async def test_a_purchase_while_the_partner_is_down_is_enriched_when_it_is_back(
    town: Town,
) -> None:
    """202 all the same, and the ticket comes with the first answer."""
    screening = await town.show()
    port = town.amc.port
    await town.amc.close()
    sold = await town.sell(screening)
    listener = await town.claim(sold)
    path = f"/tell/tickets/{sold.correlation_id}"
    headers = {"Authorization": f"Bearer {listener}"}
    assert json.loads(await town.text(path, **headers))["state"] == "accepted"
    assert port is not None
    await town.reopen_amc(port)
    town.clock.advance(minutes=5)
    # The next sale shows that the partner is back; the first one is due by then too.
    other = await town.sell(screening)
    await town.is_enriched(other.correlation_id)
    await town.is_enriched(sold.correlation_id)
    ticket = json.loads(await town.text(path, **headers))
    assert (ticket["state"], ticket["title"]) == ("enriched", "The General")


async def test_a_full_queue_is_503_with_a_time_to_come_back(
    tmp_path: Path,
    media_root: Path,
    amc: TestServer,
    clock: HandClock,
    aiohttp_client: Clients,
    database_url: str,
) -> None:
    """While the disk is held, one is being stored and one waits; the others are told so at once."""
    town = await open_town(
        tmp_path,
        media_root,
        amc,
        clock,
        aiohttp_client,
        database_url,
        purchases=PurchasesSettings(commit_rows=1, queue_limit=1),
    )
    bodies = [json.dumps(town.notice(await town.show())).encode() for _ in range(4)]

    async def post(body: bytes) -> tuple[int, str | None, Any]:
        async with town.tell.post(PATH, data=body, headers=town.sign(body)) as answer:
            return (
                answer.status,
                answer.headers.get("Retry-After"),
                await answer.json(content_type=None),
            )

    assert town.tell.app is not None
    async with asyncio.timeout(PATIENCE_S), town.tell.app[DATABASE].write():
        posts = [asyncio.create_task(post(body)) for body in bodies]
        for first in asyncio.as_completed(posts):
            status, retry_after, problem = await first
            break
    assert (status, retry_after, problem["code"]) == (503, "1", "intake-full")
    answers = await asyncio.gather(*posts)
    taken = [answer[0] for answer in answers].count(202)
    assert 1 <= taken <= 2
    assert {answer[0] for answer in answers} == {202, 503}
    assert await town.purchases() == taken
    # The partner's outbox sends what was refused again.
    for body, (status, _, _) in zip(bodies, answers, strict=True):
        if status == 503:
            assert (await post(body))[0] == 202
    assert await town.purchases() == len(bodies)
