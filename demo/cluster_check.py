"""`make demo-cluster CHECK=1`: what the cluster bears while somebody listens.

Each replica is killed with -9 in turn, Redis dies, the database is away for a while, and S3 refuses
and stalls, while one client asks for segments and a real player in Chromium is heard. What then
works and what waits is written in docs/replicas.md, and proved here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import aiohttp

from demo.chain import Chain, Sale, chain_at
from demo.check import Listener, Report, require
from demo.cluster_parts import REPLICAS, S3_TIMEOUT_S, Cluster
from demo.cluster_player import ANSWER_LIMIT_S, Player, playing
from demo.cluster_sound import Ear, real_player

# A real player has twelve seconds in hand: longer than that it lives on what works.
_FAULT_S = 20.0
_BACK_S = 4.0
_PATIENCE_S = 60.0
# DESIGN.md: revocation reaches all replicas in under so long.
REVOKED_WITHIN_S = 2.0
_ASKS_EVERY_S = 0.02
_SEGMENT = {"Range": "bytes=2000-49999"}
# Renditions that neither player uses: once they are out of the cache, this machine has them not.
_REFUSING, _STALLING = "opus-24k", "opus-48k"


async def check_cluster(cluster: Cluster, sales: list[Sale]) -> None:
    """Prove it; raises CheckError where something does not hold."""
    running = sales[0]
    report = Report()
    print("The proof of the cluster:")
    async with (
        aiohttp.ClientSession(cluster.nginx.url) as session,
        chain_at(cluster.amc.url) as chain,
    ):
        with report.step("each replica is ready") as figures:
            for name in REPLICAS:
                # Degraded until the clock of AMC-clone has been measured once.
                ready = await _until(cluster, name, "ready")
                figures.append(f"{name}: {', '.join(ready['checks'])}")
        listener = Listener(session)
        await listener.claim(running)
        async with real_player(running) as ear:
            faults = _Faults(cluster, session, chain, listener, running, ear)
            with report.step("segments while each replica is killed with -9") as figures:
                figures += await faults.replicas()
            with report.step("Redis is killed, and comes back") as figures:
                figures += await faults.redis()
            with report.step("MariaDB is killed, and comes back") as figures:
                figures += await faults.mariadb()
            with report.step("S3 answers 503, and recovers") as figures:
                figures += await faults.s3("busy", "S3 refusing", _REFUSING)
            with report.step("S3 stalls, and recovers") as figures:
                figures += await faults.s3("stalled", "S3 stalling", _STALLING)
            with report.step("a showing is cancelled, and shut on each replica") as figures:
                figures += await _cancelled(cluster, chain, listener, running.movie_id)
            if ear.hears:
                with report.step("the sound of a real player through all of it") as figures:
                    figures += await ear.told()
    print(f"Everything holds. The logs are in {cluster.folder}.", flush=True)


@dataclass(frozen=True, slots=True)
class _Faults:
    """One fault after another, each with a listener's segments and a purchase."""

    cluster: Cluster
    session: aiohttp.ClientSession
    chain: Chain
    listener: Listener
    sale: Sale
    ear: Ear

    async def replicas(self) -> list[str]:
        """The other one serves on, and the dead one comes back."""
        async with playing(self.session, await self.listener.grant(self.sale)) as player:
            for name in REPLICAS:
                await player.hear(10)
                self.ear.mark(f"{name} replica killed")
                await self.cluster.kill(name)
                sold = await self._sell()
                await self._last(player)
                await self.listener.grant(self.sale)
                await self.cluster.start(name)
                await self.listener.claim(sold)
                await self._settle(name)
        return [*player.told(), "a purchase with each dead became a ticket"]

    async def redis(self) -> list[str]:
        """Everything works on the replicas' own counts; they say so, and come back."""
        async with playing(self.session, await self.listener.grant(self.sale)) as player:
            self.ear.mark("Redis killed")
            await asyncio.to_thread(self.cluster.redis.kill)
            await self.listener.grant(self.sale)
            await self.listener.claim(await self._sell())
            late = await self._sell()
            for name in REPLICAS:
                ready = await _until(self.cluster, name, "degraded")
                require(not ready["checks"]["limits"]["ok"], "/readyz does not tell of Redis")
            await self._last(player)
            await asyncio.to_thread(self.cluster.redis.start)
            await self.listener.claim(late)
            await self._settle(*REPLICAS)
        return [
            *player.told(),
            "tickets sold, claimed and granted meanwhile",
            "/readyz told of it, and of its end",
        ]

    async def mariadb(self) -> list[str]:
        """Who listens goes on; what must be durable waits, and nothing is lost."""
        async with playing(self.session, await self.listener.grant(self.sale)) as player:
            # Every replica has met the listener's ticket.
            await player.hear(10)
            # Answered 202 at the last moment: it is in the database, or it was lost.
            answered = await self._sell()
            self.ear.mark("MariaDB killed")
            await asyncio.to_thread(self.cluster.mariadb.kill)
            await self._last(player)
            # Posted late in the fault: AMC-clone waits longer from try to try.
            waiting = asyncio.create_task(self.chain.sell_again(self.sale))
            await player.hear(10)
            require(not waiting.done(), "a purchase was answered that no database has")
            await asyncio.to_thread(self.cluster.mariadb.start)
            posted = await waiting
            await player.hear(10)
            for sold in (answered, posted):
                await self.listener.claim(sold)
            await self._settle(*REPLICAS)
        return [*player.told(), "the purchase of before and the one of meanwhile became tickets"]

    async def s3(self, mode: Literal["busy", "stalled"], name: str, not_kept: str) -> list[str]:
        """What is kept plays on and is granted; what is not gets 503 in time, and heals."""
        grant = await self.listener.grant(self.sale)
        download = next(each for each in grant["downloads"] if each["rendition"] == not_kept)
        self.cluster.forget(download["sha256"])
        front = self.cluster.s3_front
        async with playing(self.session, grant) as player:
            await player.hear(10)
            self.ear.mark(name)
            front.goes_on.clear()
            front.mode = mode
            began = time.monotonic()
            status = await _segment(self.session, download["url"])
            refused_s = time.monotonic() - began
            require(status == 503, f"{not_kept}, which is not kept here: {status}, not 503")
            limit_s = S3_TIMEOUT_S + ANSWER_LIMIT_S
            require(refused_s <= limit_s, f"the 503 took {refused_s:.1f} s, not {limit_s:g} s")
            await self.listener.grant(self.sale)
            sold = await self._sell()
            for replica in REPLICAS:
                await _until_check(self.cluster, replica, "storage", ok=False)
            await self._last(player)
            front.mode = "well"
            front.goes_on.set()
            began = time.monotonic()
            async with asyncio.timeout(_PATIENCE_S):
                # As a player asks again; each turn is a request.
                while (status := await _segment(self.session, download["url"])) == 503:
                    pass
            require(status == 206, f"{not_kept} afterwards: {status}, not 206")
            healed_s = time.monotonic() - began
            await self.listener.claim(sold)
            await self._settle(*REPLICAS)
        return [
            *player.told(),
            f"{not_kept}, not kept here: 503 after {refused_s:.1f} s, "
            f"206 {healed_s:.1f} s after the fault",
            "granted meanwhile; a purchase of meanwhile became a ticket",
        ]

    async def _sell(self) -> Sale:
        """One more ticket, which Tell has answered 202."""
        return await self.chain.sell_again(self.sale)

    async def _last(self, player: Player) -> None:
        """Let the fault last longer than what a player has in hand; segments come all the time."""
        until = time.monotonic() + (_FAULT_S if self.ear.hears else 0.0)
        await player.hear(25)
        while time.monotonic() < until:
            await player.hear(1)

    async def _settle(self, *names: str) -> None:
        """What failed is back, and /readyz of each says so."""
        for name in names:
            await _until(self.cluster, name, "ready")
        if self.ear.hears:
            await asyncio.sleep(_BACK_S)


async def _cancelled(
    cluster: Cluster, chain: Chain, listener: Listener, movie_id: str
) -> list[str]:
    """One replica hears of it by the partner's message, the other by the events' log alone."""
    now = datetime.now(UTC)
    starts = [now + timedelta(minutes=later) for later in range(10, 190, 10)]
    sale = await chain.sell("cancelled", movie_id, "", starts)
    await listener.claim(sale)
    address = (await listener.grant(sale))["downloads"][0]["url"]
    async with AsyncExitStack() as stack:
        sessions = [
            await stack.enter_async_context(aiohttp.ClientSession(cluster.replicas[name].url))
            for name in REPLICAS
        ]
        for session in sessions:
            status = await _segment(session, address)
            require(status == 206, f"a segment before the cancellation: {status}, not 206")
        began = time.monotonic()
        await chain.cancel(sale)
        shut_s = await asyncio.gather(*(_shut_after_s(each, address, began) for each in sessions))
    figures = [f"{name} after {each:.2f} s" for name, each in zip(REPLICAS, shut_s, strict=True)]
    within = max(shut_s) <= REVOKED_WITHIN_S
    require(within, f"{'; '.join(figures)}: more than {REVOKED_WITHIN_S:g} s")
    return figures


async def _shut_after_s(session: aiohttp.ClientSession, address: str, began: float) -> float:
    """When a token that played is refused, in seconds from *began*."""
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            status = await _segment(session, address)
            if status != 206:
                break
            await asyncio.sleep(_ASKS_EVERY_S)
    require(status == 410, f"a segment after the cancellation: {status}, not 410")
    return time.monotonic() - began


async def _segment(session: aiohttp.ClientSession, address: str) -> int:
    """Status of one segment's range."""
    async with session.get(address, headers=_SEGMENT) as answer:
        await answer.read()
        return answer.status


async def _until(cluster: Cluster, name: str, status: str) -> dict[str, Any]:
    """What a replica's /readyz says, once it is of that status."""
    return await _once(cluster, name, lambda ready: ready["status"] == status)


async def _until_check(cluster: Cluster, name: str, part: str, *, ok: bool) -> dict[str, Any]:
    """The same, once it says of *part* whether it is well."""
    return await _once(cluster, name, lambda ready: ready["checks"][part]["ok"] is ok)


async def _once(
    cluster: Cluster, name: str, holds: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            ready = await _ready(cluster.replicas[name].url)
            if holds(ready):
                return ready
            # It keeps what it said for two seconds.
            await asyncio.sleep(0.5)


async def _ready(url: str) -> dict[str, Any]:
    async with aiohttp.ClientSession(url) as session, session.get("/readyz") as answer:
        ready: dict[str, Any] = await answer.json()
        return ready
