"""A worker: a gateway that takes connections from sockets which its supervisor keeps open."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web

from catalog.workers import spawn
from gateway.app import create_app
from gateway.keys import METRICS, PUBLIC_URL, TEAM
from gateway.metrics import Metrics
from gateway.secrets import Secrets
from gateway.server import RunningGateway
from gateway.settings import GatewaySettings
from gateway.workers.control import ALIVE, ALIVE_EVERY_S, READY, Line, Orders, Post
from gateway.workers.team import Team
from gateway.workers.team_metrics import TeamMetrics

log = structlog.get_logger(__name__)


async def work(
    settings: GatewaySettings,
    secrets: Secrets,
    clock: Callable[[], datetime],
    environ: Mapping[str, str],
    post: Post,
) -> None:
    """Serve until told to end, by SIGTERM or an order, or until the supervisor is gone.

    Raises DatabaseError where the database cannot be opened.
    """
    terminated = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, terminated.set)
    team = Team(post.slot)
    metrics = Metrics(TeamMetrics(Path(post.metrics_folder), post.metrics_name, team))
    app = create_app(settings, clock=clock, secrets=secrets, environ=environ, metrics=metrics)
    app[PUBLIC_URL].value = post.public_url
    app[TEAM] = team
    line = await Line.open(socket.socket(fileno=post.control))
    worker = _Worker(app, RunningGateway(app, settings.server), line, team, post)
    try:
        await worker.run(terminated, settings.server.hand_over_s)
    finally:
        line.close()


class _Worker:
    def __init__(
        self, app: web.Application, gateway: RunningGateway, line: Line, team: Team, post: Post
    ) -> None:
        self._app = app
        self._gateway = gateway
        self._line = line
        self._team = team
        self._listeners = dict(enumerate(post.listeners))
        self._sites: dict[int, web.BaseSite] = {}
        self._retired = asyncio.Event()
        self._left = asyncio.Event()

    async def run(self, terminated: asyncio.Event, hand_over_s: float) -> None:
        """Answer, and end as it was told."""
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._gateway.start()
            self._line.say(READY)
            tasks = [
                spawn(self._obey(), "orders"),
                spawn(self._be_alive(), "alive"),
                spawn(self._gateway.settle(), "settling"),
            ]
            await _first(terminated, self._left, self._retired)
            if self._retired.is_set() and not terminated.is_set():
                log.info("worker_retires", hand_over_s=hand_over_s)
                retiring = asyncio.create_task(self._gateway.retire(hand_over_s))
                self._close_listeners()
                await _first(terminated, self._left, retiring)
                retiring.cancel()
                await asyncio.wait([retiring])
        finally:
            # At once, all of them: what comes from here on is for others.
            self._close_listeners()
            await self._gateway.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _obey(self) -> None:
        async for orders in self._line.orders():
            self._team.size, self._team.pids = orders.size, orders.team
            if orders.retire:
                self._retired.set()
            elif self._listeners and not self._retired.is_set():
                await self._accept(orders)
        if not self._retired.is_set():
            log.error("supervisor_gone")
        self._left.set()

    async def _accept(self, orders: Orders) -> None:
        for slot in set(self._sites) - set(orders.accept):
            await self._sites.pop(slot).stop()
        for slot in set(orders.accept) - set(self._sites):
            # A copy, since a site closes what it was given.
            listener = socket.socket(fileno=os.dup(self._listeners[slot]))
            self._sites[slot] = await self._gateway.accept(listener)

    async def _be_alive(self) -> None:
        while True:
            self._line.say(ALIVE)
            self._app[METRICS].refresh()
            await asyncio.sleep(ALIVE_EVERY_S)

    def _close_listeners(self) -> None:
        for descriptor in self._listeners.values():
            with suppress(OSError):
                os.close(descriptor)
        self._listeners.clear()


async def _first(*awaited: asyncio.Event | asyncio.Task[None]) -> None:
    """Return when one of them has come."""
    tasks: list[asyncio.Future[Any]] = [
        asyncio.ensure_future(each.wait()) if isinstance(each, asyncio.Event) else each
        for each in awaited
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task, each in zip(tasks, awaited, strict=True):
            if task is not each:
                task.cancel()
