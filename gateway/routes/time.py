"""Tell's clock, for the four-timestamp exchange."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from aiohttp import web

from gateway.bodies import read_query
from gateway.errors import QueryError
from gateway.keys import CLOCK
from gateway.routing import Answer, Route
from gateway.schemas import TimeAnswer, TimeQuery

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Tell's clock is the reference, so what is left is how finely it is read: datetime cuts off what is
# below a microsecond.
_BOUND_US = 1
_BOUND_SOURCE = "resolution"


async def get_time(request: web.Request) -> web.Response:
    """Answer with when the request came and when the answer left, by Tell's clock.

    A client adds its own two instants: its clock offset is the mean of the two differences, and
    half the round trip less the time between ours bounds it (RFC 5905 8).
    """
    clock = request.app[CLOCK]
    received_us = epoch_us(clock())
    nonce = read_query(request, TimeQuery).nonce
    head = (
        f'{{"nonce":{json.dumps(nonce)},"received_us":{received_us},"bound_us":{_BOUND_US},'
        f'"bound_source":"{_BOUND_SOURCE}","sent_us":'
    )
    # Past every cache and worker: an old answer would be an old clock (RFC 9111 5.2.2.5).
    headers = {"Cache-Control": "no-store"}
    # Taken last: what still comes after it counts as time on the way.
    return web.Response(
        body=f"{head}{epoch_us(clock())}}}".encode(),
        content_type="application/json",
        headers=headers,
    )


def epoch_us(instant: datetime) -> int:
    """Microseconds since 1970, exactly: a float would lose the last ones."""
    return (instant - _EPOCH) // _MICROSECOND


ROUTES = (
    Route(
        method="GET",
        path="/time",
        handler=get_time,
        tag="clock",
        summary="Exchange clock readings",
        query=TimeQuery,
        answers=(Answer(200, "When the request came and the answer left", TimeAnswer),),
        errors=(QueryError,),
    ),
)
