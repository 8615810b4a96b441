"""A screening's page for the operator, and the correction of its start in two steps."""

from __future__ import annotations

from typing import Literal

import structlog
from aiohttp import web
from pydantic import BaseModel

from catalog.errors import (
    CorrectionError,
    DatabaseError,
    ScreeningNotFoundError,
    StartChangedError,
)
from catalog.screenings.corrections import Corrections
from gateway.bodies import read_query
from gateway.errors import OperatorRefusedError, OpsClosedError, QueryError
from gateway.keys import CLOCK, DATABASE, EVENING, EVENT_FEED
from gateway.ops.answers import page_response, see_other
from gateway.ops.board_page import screening_path
from gateway.ops.door import form_of, session_of
from gateway.ops.effects import effect_of
from gateway.ops.forms import ConfirmForm, CorrectionQuery
from gateway.ops.screening_page import effect_page, screening_page
from gateway.ops.tonight import Line
from gateway.routes.ops import FORM_ERRORS, PAGE
from gateway.routing import Answer, Route

log = structlog.get_logger(__name__)

_PATH = "/ops/screenings/{environment}/{showtime_id}"
_DONE = {
    "corrected": "The start is corrected. Listeners are being told.",
    "cleared": "The cinema's word counts again. Listeners are being told.",
}


class ScreeningQuery(BaseModel):
    """What was done just now, for the page to say."""

    done: Literal["", "corrected", "cleared"] = ""


async def get_screening_page(request: web.Request) -> web.Response:
    """All about one screening, and the forms that correct its start."""
    session = await session_of(request)
    done = read_query(request, ScreeningQuery).done
    line = await _line(request)
    history = await _corrections(request).history(*_names(request))
    said = _DONE.get(done)
    now = request.app[CLOCK]()
    return page_response(screening_page(line, history, now, session.form_token, said))


async def get_correction(request: web.Request) -> web.Response:
    """Show what a correction would do, and for how many; nothing is changed."""
    session = await session_of(request)
    query = read_query(request, CorrectionQuery)
    line, now = await _line(request), request.app[CLOCK]()
    effect = effect_of(line.showing, query, now)
    return page_response(effect_page(line, effect, now, session.form_token))


async def post_correction(request: web.Request) -> web.Response:
    """Correct the start, where it still is what was shown before."""
    form = await form_of(request, ConfirmForm)
    names, note = _names(request), form.note or None
    corrections = _corrections(request)
    if form.movie_start is None:
        await corrections.clear(*names, note, expected=form.expected)
    else:
        await corrections.start(
            *names, form.movie_start, form.bound_ms, note, expected=form.expected
        )
    done = "cleared" if form.movie_start is None else "corrected"
    log.info("start_corrected", environment=names[0], showtime_id=names[1], what=done)
    request.app[EVENT_FEED].kick()
    request.app[EVENING].forget()
    return see_other(f"{screening_path(*names)}?done={done}")


async def _line(request: web.Request) -> Line:
    return await request.app[EVENING].line(*_names(request))


def _names(request: web.Request) -> tuple[str, str]:
    return request.match_info["environment"], request.match_info["showtime_id"]


def _corrections(request: web.Request) -> Corrections:
    return Corrections(request.app[DATABASE], request.app[CLOCK])


_ERRORS = (OpsClosedError, OperatorRefusedError, QueryError, ScreeningNotFoundError, DatabaseError)

ROUTES = (
    Route(
        method="GET",
        path=_PATH,
        handler=get_screening_page,
        tag="operator",
        summary="One screening, for the operator",
        security="operator",
        query=ScreeningQuery,
        pages=True,
        answers=(Answer(200, "A page", media_types=PAGE),),
        errors=_ERRORS,
    ),
    Route(
        method="GET",
        path=f"{_PATH}/correction",
        handler=get_correction,
        tag="operator",
        summary="What a correction of the start would do",
        security="operator",
        query=CorrectionQuery,
        pages=True,
        answers=(Answer(200, "A page with the button that does it", media_types=PAGE),),
        errors=_ERRORS,
    ),
    Route(
        method="POST",
        path=f"{_PATH}/correction",
        handler=post_correction,
        tag="operator",
        summary="Correct the start of a screening",
        security="operator",
        form=ConfirmForm,
        pages=True,
        answers=(Answer(303, "To the screening's page"),),
        errors=(
            *FORM_ERRORS,
            ScreeningNotFoundError,
            StartChangedError,
            CorrectionError,
            DatabaseError,
        ),
    ),
)
