"""Reading what a client sent: bounded, strict, and with the field's name in each complaint."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from gateway.errors import (
    BodyDoubledKeyError,
    BodyInvalidError,
    BodyLateError,
    BodySyntaxError,
    BodyTooLargeError,
    BodyTypeError,
    FieldFault,
    QueryError,
)
from gateway.keys import SETTINGS

M = TypeVar("M", bound=BaseModel)

# So much of a name that a client made up is said back.
_SHOWN_CHARS = 80


async def read_body(
    request: web.Request, media_type: str, limit_bytes: int, within_s: float
) -> bytes:
    """Read a raw body of *media_type*, as signed, that comes *within_s* seconds.

    What is too long, and an encoded one, which could be of any size when it is unpacked, is refused
    before it is read. Raises BodyTypeError, BodyTooLargeError, BodyLateError.
    """
    if request.content_type != media_type:
        raise BodyTypeError(f"send {media_type}")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise BodyTypeError("send the body without a Content-Encoding")
    if request.content_length is not None and request.content_length > limit_bytes:
        raise BodyTooLargeError(limit_bytes)
    body = bytearray()
    try:
        async with asyncio.timeout(within_s):
            # A chunked body has no length to look at first, so it is counted while it comes.
            async for block in request.content.iter_any():
                body += block
                if len(body) > limit_bytes:
                    raise BodyTooLargeError(limit_bytes)
    except TimeoutError as error:
        raise BodyLateError(f"the body did not come within {within_s:g} seconds") from error
    return bytes(body)


async def read_json(request: web.Request) -> bytes:
    """Read the raw body of a JSON request; raises what `read_body` raises."""
    settings = request.app[SETTINGS]
    limit_bytes = settings.purchases.max_body_bytes
    return await read_body(request, "application/json", limit_bytes, settings.server.request_s)


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse one JSON object (RFC 8259); raises BodySyntaxError, BodyDoubledKeyError.

    Stricter than the json module: UTF-8 alone, no NaN, no number that becomes infinite, and no key
    twice, since two readers could take different ones of the two (RFC 8259 4).
    """
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_number,
        )
    except UnicodeDecodeError as error:
        raise BodySyntaxError("the body is not UTF-8") from error
    except RecursionError as error:
        raise BodySyntaxError("the body is nested too deeply") from error
    except ValueError as error:
        # JSONDecodeError, or an integer of more digits than Python reads.
        raise BodySyntaxError(f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BodySyntaxError("the body is not a JSON object")
    return value


def validate(model: type[M], data: dict[str, Any]) -> M:
    """Check *data* against *model*; raises BodyInvalidError that names each field."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise BodyInvalidError(_faults(error)) from error


def read_query(request: web.Request, model: type[M]) -> M:
    """Check the query against *model*; raises QueryError. Parameters beyond it are ignored."""
    faults = [
        FieldFault(name, "is given more than once")
        for name in model.model_fields
        if len(request.query.getall(name, [])) > 1
    ]
    if faults:
        raise QueryError(faults)
    known = {name: request.query[name] for name in model.model_fields if name in request.query}
    try:
        return model.model_validate(known)
    except ValidationError as error:
        raise QueryError(_faults(error)) from error


def _faults(error: ValidationError) -> list[FieldFault]:
    # Neither the input nor its context is repeated: it may be a claim code.
    return [
        FieldFault(".".join(str(part) for part in item["loc"]) or "body", item["msg"])
        for item in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise BodyDoubledKeyError(key[:_SHOWN_CHARS])
        result[key] = value
    return result


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise BodySyntaxError("a number is too large to be read (RFC 8259 6)")
    # 7.0 is an integer as well (JSON Schema 2020-12 core, 4.2.3): not every writer has the two.
    return int(value) if value.is_integer() else value


def _refuse_constant(name: str) -> Any:
    raise BodySyntaxError(f"{name} is not JSON")
