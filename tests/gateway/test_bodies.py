"""Reading bodies and queries, through a real server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from pydantic import BaseModel, ConfigDict, Field

from gateway.bodies import parse_object, read_body, read_query, validate
from gateway.errors import (
    BodyInvalidError,
    BodyLateError,
    BodySyntaxError,
    BodyTooLargeError,
    BodyTypeError,
    QueryError,
)

LIMIT = 100
WITHIN_S = 20.0
Client = TestClient[web.Request, web.Application]
Clients = Callable[[web.Application], Awaitable[Client]]


class Inner(BaseModel):
    """A nested object."""

    number: int


class Body(BaseModel):
    """A body with one of each."""

    model_config = ConfigDict(strict=True)

    name: Annotated[str, Field(max_length=4)]
    inner: Inner


class Query(BaseModel):
    """Two parameters, one of them needed."""

    needed: str
    other: str | None = None


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'{"a":1,"a":1}', "'a' stands twice"),
        (b'{"a":{"b":1,"b":2}}', "'b' stands twice"),
        (b'{"a":NaN}', "NaN is not JSON"),
        (b'{"a":-Infinity}', "Infinity is not JSON"),
        (b'{"a":"\xff"}', "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 50_000, "nested too deeply"),
        (b'{"a":' + b"9" * 5000 + b"}", "not JSON"),
    ],
)
def test_what_is_not_one_json_object_is_refused(body: bytes, says: str) -> None:
    """Doubled keys, constants that JSON lacks, and bombs included."""
    with pytest.raises(BodySyntaxError, match=says):
        parse_object(body)


def test_each_wrong_field_is_named_and_no_value_repeated() -> None:
    """The path of a nested field is written with dots."""
    with pytest.raises(BodyInvalidError) as caught:
        validate(Body, {"name": "much too long", "inner": {"number": "x"}})
    assert [fault.field for fault in caught.value.faults] == ["name", "inner.number"]
    assert "much too long" not in str(caught.value)


@pytest.fixture
async def client(aiohttp_client: Clients) -> Client:
    """Client of a server that reads bodies and queries and answers with what it made of them."""

    async def read(request: web.Request) -> web.Response:
        try:
            body = await read_body(request, "application/json", LIMIT, WITHIN_S)
        except (BodyTooLargeError, BodyTypeError, BodyLateError) as error:
            return web.json_response({"refused": error.code})
        return web.json_response({"length": len(body)})

    async def query(request: web.Request) -> web.Response:
        try:
            return web.json_response(read_query(request, Query).model_dump())
        except QueryError as error:
            return web.json_response({"faults": [fault.field for fault in error.faults]})

    app = web.Application()
    app.router.add_post("/", read)
    app.router.add_get("/", query)
    return await aiohttp_client(app)


async def post(client: Client, **options: Any) -> Any:
    """Answer to one POST."""
    async with client.post("/", **options) as response:
        return await response.json()


async def chunks(total: int) -> AsyncIterator[bytes]:
    """A body without a Content-Length."""
    for _ in range(total):
        yield b"x" * 10


async def test_a_body_up_to_the_limit_is_read_whole(client: Client) -> None:
    """The limit itself is allowed, with a length and without one."""
    typed = {"Content-Type": "application/json; charset=utf-8"}
    assert await post(client, data=b"x" * LIMIT, headers=typed) == {"length": LIMIT}
    assert await post(client, data=chunks(10), headers=typed) == {"length": LIMIT}


async def test_a_longer_body_is_refused(client: Client) -> None:
    """By its Content-Length, or as soon as the count passes the limit."""
    typed = {"Content-Type": "application/json"}
    refused = {"refused": "body-too-large"}
    assert await post(client, data=b"x" * (LIMIT + 1), headers=typed) == refused
    assert await post(client, data=chunks(11), headers=typed) == refused


async def test_another_type_or_a_packed_body_is_refused(client: Client) -> None:
    """Only plain application/json is read."""
    refused = {"refused": "unsupported-media-type"}
    assert await post(client, data=b"{}", headers={"Content-Type": "text/plain"}) == refused
    packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert await post(client, data=b"{}", headers=packed) == refused


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("needed=a", {"needed": "a", "other": None}),
        ("needed=a&more=b", {"needed": "a", "other": None}),
        ("", {"faults": ["needed"]}),
        ("needed=a&needed=b", {"faults": ["needed"]}),
    ],
)
async def test_a_query_is_checked_by_name(client: Client, query: str, answer: object) -> None:
    """A missing or doubled parameter is named, an unknown one passed over."""
    async with client.get(f"/?{query}") as response:
        assert json.loads(await response.text()) == answer
