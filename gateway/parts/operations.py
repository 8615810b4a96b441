"""What an operator sees: the evening, for /metrics and for /ops."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import structlog
from aiohttp import web

from catalog.ended_sessions import EndedSessions
from catalog.listeners.audience import Audiences
from catalog.purchases.backlog import Backlog
from catalog.purchases.parking import Parking
from catalog.screenings.board import Board
from gateway.census import Census
from gateway.keys import (
    CENSUS,
    CLOCK,
    DATABASE,
    EVENING,
    LIBRARY,
    METRICS,
    OPERATOR,
    SECRETS,
    SETTINGS,
)
from gateway.ops.desk import Desk
from gateway.ops.sessions import Operator
from gateway.ops.shelf import Shelf
from gateway.ops.tonight import Evening
from gateway.pages import WebApp
from gateway.settings import GatewaySettings
from media.s3_address import is_s3

log = structlog.get_logger(__name__)

_SQLITE = "sqlite:///"
_FILES = Path(__file__).parent.parent / "web_ops"


async def operations(app: web.Application) -> AsyncIterator[None]:
    """Make them."""
    database, clock, settings = app[DATABASE], app[CLOCK], app[SETTINGS]
    board = Board(database)
    app[EVENING] = evening = Evening(
        board,
        Audiences(database, clock),
        Backlog(database),
        Parking(database, clock),
        Shelf(board, app[LIBRARY], clock),
        clock,
        settings.tokens.margin_after_credits,
    )
    app[METRICS].evening.places = _places(settings)
    app[CENSUS] = Census(evening, app[METRICS].evening)
    token = app[SECRETS].operator
    operator = None if token is None else Operator(token, clock)
    app[OPERATOR] = Desk(operator, WebApp.load(_FILES), EndedSessions(database, clock))
    if operator is None:
        log.info("ops_closed", mend="tell keys init")
    yield


async def close_ops_streams(app: web.Application) -> None:
    """Let operators' pages go before the server waits for the answers that are under way."""
    if OPERATOR in app:
        app[OPERATOR].streams.close()


def _places(settings: GatewaySettings) -> dict[str, Path]:
    """Folders of ours whose disk may fill up."""
    places = {}
    if not is_s3(settings.media.root):
        places["media"] = Path(settings.media.root)
    if settings.database.url.startswith(_SQLITE):
        places["database"] = Path(settings.database.url.removeprefix(_SQLITE)).parent
    return places
