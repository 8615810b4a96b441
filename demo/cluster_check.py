"""`make demo-cluster CHECK=1`: what the cluster bears while somebody listens.

Each replica is killed with -9 in turn, Redis dies, and the database is away for a while; what then
works and what waits is written in docs/replicas.md, and proved here.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import aiohttp
import m3u8

from demo import browser, sound
from demo.chain import Sale, chain_at
from demo.check import CheckError, Listener, Report, require
from demo.cluster_parts import REPLICAS, Cluster
from demo.joins import missing_for_joins

# A real player has twelve seconds in hand: longer than that it lives on the other replica.
_DEAD_S = 20.0
_BACK_S = 4.0
# While nothing dies, for what the machine itself does to the sound.
_CONTROL_S = 10.0
_SETTLED_S = 3.0
SYNC_LIMIT_MS = 40.0
# Where the voice is loud a second cannot be read; a sound that stops is silent for all of them.
_HEARD_SHARE = 0.8
_LONGEST_GAP_S = 3.5
# A player asks every 5.76 s; this one asks more often, so that no death passes unseen.
_ASKS_EVERY_S = 0.2
ANSWER_LIMIT_S = 2.0
_PATIENCE_S = 60.0


async def check_cluster(cluster: Cluster, sales: list[Sale]) -> None:
    """Prove it; raises CheckError where something does not hold."""
    running = sales[0]
    report = Report()
    print("The proof of the cluster:")
    async with aiohttp.ClientSession(cluster.nginx.url) as session:
        with report.step("each replica is ready") as figures:
            for name in REPLICAS:
                ready = await _ready(cluster.replicas[name].url)
                require(ready["status"] == "ready", f"the {name} replica: {ready}")
                figures.append(f"{name}: {', '.join(ready['checks'])}")
        listener = Listener(session)
        await listener.claim(running)
        with report.step("segments while each replica is killed with -9") as figures:
            async with _playing(session, await listener.grant(running)) as player:
                for name in REPLICAS:
                    await player.hear(10)
                    await cluster.kill(name)
                    await player.hear(25)
                    await listener.grant(running)
                    await cluster.start(name)
            figures += player.told()
        with report.step("Redis is killed, and comes back") as figures:
            figures += await _without_redis(cluster, listener, running)
        with report.step("MariaDB is killed, and comes back") as figures:
            figures += await _without_mariadb(cluster, session, listener, running)
    missing = missing_for_joins()
    if missing is not None:
        require("CI" not in os.environ, f"real sound is required where CI is set: {missing}")
        print(f"  SKIPPED: the sound of a real player, since {missing}", flush=True)
    else:
        with report.step("the sound of a real player, while each replica is killed") as figures:
            figures += await _sound_through_kills(cluster, running)
    print(f"Everything holds. The logs are in {cluster.folder}.", flush=True)


@dataclass
class _Player:
    """Asks for segment after segment, as a player does, and counts what it got."""

    session: aiohttp.ClientSession
    path: str
    ranges: list[str]
    slowest_s: float = 0.0
    heard: int = 0
    # Answers that broke off, as with a replica that died while it sent: a player asks again.
    cut: int = 0
    _fault: Exception | None = None
    _grown: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Until a segment does not come, which `hear` raises."""
        try:
            for each in itertools.cycle(self.ranges):
                began = time.monotonic()
                await self._fetch(each, again=True)
                self.slowest_s = max(self.slowest_s, time.monotonic() - began)
                self.heard += 1
                self._grown.set()
                await asyncio.sleep(_ASKS_EVERY_S)
        except (CheckError, aiohttp.ClientError) as error:
            self._fault = error
            self._grown.set()

    async def _fetch(self, byterange: str, *, again: bool) -> None:
        size, _, offset = byterange.partition("@")
        headers = {"Range": f"bytes={offset}-{int(offset) + int(size) - 1}"}
        try:
            async with self.session.get(self.path, headers=headers) as answer:
                require(answer.status == 206, f"a segment: {answer.status}, not 206")
                body = await answer.read()
        except aiohttp.ClientPayloadError:
            require(again, "a segment broke off twice")
            self.cut += 1
            await self._fetch(byterange, again=False)
        else:
            require(len(body) == int(size), f"{len(body)} bytes came, not {size}")

    async def hear(self, count: int) -> None:
        """Return when *count* more segments came; raises CheckError where one does not."""
        wanted = self.heard + count
        while self.heard < wanted:
            if self._fault is not None:
                raise CheckError(f"a segment did not come: {self._fault}") from self._fault
            self._grown.clear()
            await self._grown.wait()

    def told(self) -> list[str]:
        """Its figures; raises CheckError where an answer took too long."""
        require(
            self.slowest_s <= ANSWER_LIMIT_S,
            f"a segment took {self.slowest_s:.2f} s, more than {ANSWER_LIMIT_S:g} s",
        )
        return [f"{self.heard} came, {self.cut} cut, the slowest after {self.slowest_s:.2f} s"]


@asynccontextmanager
async def _playing(session: aiohttp.ClientSession, grant: dict[str, Any]) -> AsyncIterator[_Player]:
    """A player that asks as long as the block runs."""
    multivariant = m3u8.loads(await _text(session, grant["hls"]))
    address = urljoin(grant["hls"], multivariant.playlists[0].uri)
    playlist = m3u8.loads(await _text(session, address))
    first = playlist.segments[0]
    player = _Player(
        session,
        urljoin(address, first.uri),
        [segment.byterange for segment in playlist.segments],
    )
    running = asyncio.create_task(player.run())
    try:
        yield player
    finally:
        running.cancel()
        await asyncio.wait([running])


async def _without_redis(cluster: Cluster, listener: Listener, sale: Sale) -> list[str]:
    """Everything works on the replicas' own counts; they say so, and come back by themselves."""
    await asyncio.to_thread(cluster.redis.kill)
    await listener.grant(sale)
    async with chain_at(cluster.amc.url) as chain:
        again = await chain.sell_again(sale)
    require(again.listen_url != sale.listen_url, "no ticket was sold")
    await listener.claim(again)
    said = [await _until(cluster, name, "degraded") for name in REPLICAS]
    for ready in said:
        require(not ready["checks"]["limits"]["ok"], "/readyz does not tell of Redis")
    await asyncio.to_thread(cluster.redis.start)
    for name in REPLICAS:
        await _until(cluster, name, "ready")
    return ["a ticket sold, claimed and granted meanwhile", "/readyz told of it, and of its end"]


async def _without_mariadb(
    cluster: Cluster, session: aiohttp.ClientSession, listener: Listener, sale: Sale
) -> list[str]:
    """Who listens goes on; what must be durable waits, and nothing is lost."""
    async with _playing(session, await listener.grant(sale)) as player:
        # Every replica has met the listener's ticket.
        await player.hear(10)
        await asyncio.to_thread(cluster.mariadb.kill)
        await player.hear(25)
        async with chain_at(cluster.amc.url) as chain:
            waiting = asyncio.create_task(chain.sell_again(sale))
            await player.hear(10)
            require(not waiting.done(), "a purchase was answered that no database has")
            await asyncio.to_thread(cluster.mariadb.start)
            again = await waiting
        await player.hear(10)
    await listener.claim(again)
    for name in REPLICAS:
        await _until(cluster, name, "ready")
    return [*player.told(), "a purchase of meanwhile became a ticket"]


async def _sound_through_kills(cluster: Cluster, sale: Sale) -> list[str]:
    """Chromium plays the stream; what is heard stays whole, and in sync."""
    with sound.sound_card() as card:
        async with browser.chromium(card) as chromium:
            recorder = card.recorder()
            recorder.start()
            try:
                context = await browser.phone(chromium)
                # A downloaded track would need no replica at all.
                await context.add_init_script("localStorage['tell.data-use'] = 'never'")
                page = await context.new_page()
                await browser.join(page, recorder, sale.listen_url, listen_s=_SETTLED_S)
                began = time.time()
                await asyncio.sleep(_CONTROL_S)
                for name in REPLICAS:
                    await cluster.kill(name)
                    await asyncio.sleep(_DEAD_S)
                    await cluster.start(name)
                    await asyncio.sleep(_BACK_S)
                heard = await asyncio.to_thread(browser.read_join, recorder, began)
                seconds = time.time() - began
                await context.close()
            finally:
                recorder.stop()
    errors = heard.errors_ms(sale.movie_start.timestamp())
    times = [began, *(each.at for each in heard.heard)]
    gap_s = max((after - before for before, after in itertools.pairwise(times)), default=0.0)
    worst = max(errors, key=abs, default=float("inf"))
    before = [
        error
        for error, each in zip(errors, heard.heard, strict=True)
        if each.at < began + _CONTROL_S
    ]
    figures = (
        f"{worst:+.1f} ms ± {heard.bound_s * 1000:.1f} at worst "
        f"({max(before, key=abs, default=float('inf')):+.1f} before the first death), "
        f"{len(errors)} of {seconds:.0f} seconds read, the longest gap {gap_s:.1f} s"
    )
    require(
        abs(worst) + heard.bound_s * 1000 <= SYNC_LIMIT_MS
        and len(errors) >= _HEARD_SHARE * (seconds - 1)
        and gap_s <= _LONGEST_GAP_S,
        f"{figures}: beyond {SYNC_LIMIT_MS:.0f} ms, or the sound stopped",
    )
    return [figures]


async def _until(cluster: Cluster, name: str, status: str) -> dict[str, Any]:
    """What a replica's /readyz says, once it is of that status."""
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            ready = await _ready(cluster.replicas[name].url)
            if ready["status"] == status:
                return ready
            # It keeps what it said for two seconds.
            await asyncio.sleep(0.5)


async def _ready(url: str) -> dict[str, Any]:
    async with aiohttp.ClientSession(url) as session, session.get("/readyz") as answer:
        ready: dict[str, Any] = await answer.json()
        return ready


async def _text(session: aiohttp.ClientSession, path: str) -> str:
    async with session.get(path) as answer:
        require(answer.status == 200, f"a playlist: {answer.status}")
        return await answer.text()
