"""What the operator's forms send: bounded, strict, and checked by models."""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from catalog.instants import Instant
from catalog.screenings.corrections import NOTE_CHARS
from gateway.bodies import read_body, validate
from gateway.errors import BodyDoubledKeyError, BodySyntaxError
from gateway.keys import SETTINGS

M = TypeVar("M", bound=BaseModel)

MEDIA_TYPE = "application/x-www-form-urlencoded"
_MAX_BYTES = 8192
_MAX_FIELDS = 16
_CLOCK_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?")


FormToken = Annotated[str, Field(max_length=100, description="Of the page that the form was on.")]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class LoginForm(_Form):
    """The operator's token."""

    token: Annotated[str, Field(min_length=1, max_length=200)]


class SessionForm(_Form):
    """A button of a page."""

    form_token: FormToken


class ConfirmForm(SessionForm):
    """A correction whose effect was looked at.

    The film must still start at `expected`. Without `movie_start` the cinema's word counts again.
    """

    expected: Instant
    movie_start: Instant | None = None
    bound_ms: Annotated[int, Field(ge=0, le=3_600_000)] = 1_000
    note: Annotated[str, StringConstraints(max_length=NOTE_CHARS, strip_whitespace=True)] = ""


class CorrectionQuery(_Form):
    """A correction to look at: by which button, and the field beside it.

    `time` is a clock time at the theater, `minutes` are later than the film starts now.
    """

    action: Literal["now", "at", "delay", "clear"]
    time: Annotated[str, Field(max_length=8)] = ""
    minutes: Annotated[float, Field(ge=-720, le=720)] = 0.0


def is_clock_time(value: str) -> bool:
    """Whether it is hours, minutes and maybe seconds."""
    return _CLOCK_TIME.fullmatch(value) is not None


async def read_form(request: web.Request, model: type[M]) -> M:
    """Read a form; raises what `read_body` raises, BodySyntaxError, BodyInvalidError."""
    within_s = request.app[SETTINGS].server.request_s
    body = await read_body(request, MEDIA_TYPE, _MAX_BYTES, within_s)
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError as error:
        raise BodySyntaxError("the form cannot be read") from error
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name in fields:
            raise BodyDoubledKeyError(name[:80])
        fields[name] = value
    return validate(model, fields)
