"""Two gateways on one MariaDB and one Redis: what each death costs, as docs/replicas.md says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.settings import DatabaseSettings, EnrichmentSettings, LimitsSettings, ServerSettings
from tests.gateway.processes import PATIENCE_S, TellProcess
from tests.gateway.test_server import Evening, claim, get_json
from tests.services.mariadb import MariaServer, running_mariadb
from tests.services.redis import RedisServer


@pytest.fixture
def own_mariadb(installed_mariadb: Path) -> Iterator[MariaServer]:
    """A MariaDB server that this test may kill."""
    with running_mariadb(installed=installed_mariadb) as server:
        yield server


@dataclass
class Replicas:
    """Both, what they stand on, and a listener whose film has begun."""

    evening: Evening
    screening: Any
    tells: list[TellProcess]
    mariadb: MariaServer
    redis: RedisServer
    listener: str
    grant_path: str
    notices: dict[str, bytes] = field(default_factory=dict)

    async def purchase(self, tell: TellProcess, name: str) -> tuple[int, Any]:
        """Post it, with the same words each time; status and answer."""
        body = self.notices.setdefault(name, self.evening.notice(self.screening, name))
        headers = self.evening.sign(body)
        async with (
            aiohttp.ClientSession(tell.url) as session,
            session.post("/tell/purchase", data=body, headers=headers) as answer,
        ):
            return answer.status, await answer.json()

    async def get(self, tell: TellProcess, path: str, **headers: str) -> tuple[int, bytes]:
        """Status and body of a GET."""
        async with (
            aiohttp.ClientSession(tell.url) as session,
            session.get(path, headers=headers) as answer,
        ):
            return answer.status, await answer.read()

    async def file(self, tell: TellProcess) -> str:
        """Path of a rendition, as a grant names it."""
        async with aiohttp.ClientSession(tell.url) as session:
            grant = await get_json(session, self.grant_path, self.listener)
        return str(grant["downloads"][0]["url"])

    async def until(self, tell: TellProcess, status: str) -> dict[str, Any]:
        """What /readyz says once it is of that status; it keeps what it said for two seconds."""
        async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession(tell.url) as session:
            while True:
                async with session.get("/readyz") as answer:
                    ready: dict[str, Any] = await answer.json()
                if ready["status"] == status:
                    return ready

    async def enriched(self, tell: TellProcess, answer: dict[str, Any]) -> None:
        """Return when a purchase that was answered so is a ticket; it is claimed for that."""
        async with aiohttp.ClientSession(tell.url) as session:
            listener = await claim(session, answer["listen_url"].partition("#")[2])
            path = f"/tell/tickets/{answer['correlation_id']}"
            async with asyncio.timeout(PATIENCE_S):
                while (await get_json(session, path, listener))["state"] != "enriched":
                    pass

    async def metric(self, tell: TellProcess, name: str) -> float:
        """A metric without labels."""
        _, body = await self.get(tell, "/metrics")
        return next(
            sample.value
            for family in text_string_to_metric_families(body.decode())
            for sample in family.samples
            if sample.name == name
        )


@pytest.fixture
async def replicas(
    tmp_path: Path,
    media_root: Path,
    chain: Path,
    own_mariadb: MariaServer,
    redis_server: RedisServer,
) -> AsyncIterator[Replicas]:
    """Two replicas, on which nothing was lost in the end."""
    evening = Evening(tmp_path, media_root, chain)
    services = await evening.open_amc()
    screening = await evening.show(services, 60, "1")
    config = evening.config(
        server=ServerSettings(port=0),
        database=DatabaseSettings(url=await own_mariadb.fresh_database("tell")),
        limits=LimitsSettings(redis_url=redis_server.url),
        enrichment=EnrichmentSettings(cache_url=redis_server.url, retry_max_s=1.0),
    )
    tells = [await TellProcess.start(config) for _ in range(2)]
    services.tell.point_at(tells[0].url)
    sold = await services.box_office.sell(screening.showtime_id)
    sold = await services.box_office.settled(sold.purchase_id, PATIENCE_S)
    # Whichever was quicker.
    asked = [
        asyncio.create_task(tell.logged("purchase_enriched", correlation_id=sold.correlation_id))
        for tell in tells
    ]
    await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    for each in asked:
        each.cancel()
    async with aiohttp.ClientSession(tells[0].url) as session:
        listener = await claim(session, sold.listen_url.partition("#")[2])
    path = f"/media/audio/the-general?ticket={sold.correlation_id}"
    yield Replicas(evening, screening, tells, own_mariadb, redis_server, listener, path)
    for tell in tells:
        await tell.leave_none()
    await evening.close()


async def test_without_redis_everything_works_and_they_say_so(replicas: Replicas) -> None:
    """Purchase, claim, grant; /readyz and the metrics tell of it, and of its end."""
    for tell in replicas.tells:
        ready = await replicas.until(tell, "ready")
        assert {"limits", "answers"} <= set(ready["checks"])
    replicas.redis.kill()
    for number, tell in enumerate(replicas.tells):
        status, answer = await replicas.purchase(tell, f"without-redis-{number}")
        assert status == 202
        await replicas.until(tell, "degraded")
        async with aiohttp.ClientSession(tell.url) as session:
            code = answer["listen_url"].partition("#")[2]
            assert await claim(session, code)
        assert await replicas.file(tell)
        ready = await replicas.until(tell, "degraded")
        for check in ("limits", "answers"):
            assert not ready["checks"][check]["ok"]
            assert not ready["checks"][check]["needed"]
        assert await replicas.metric(tell, "tell_limits_shared") == 0
        assert await replicas.metric(tell, "tell_partner_answers_shared") == 0
    replicas.redis.start()
    for tell in replicas.tells:
        await replicas.until(tell, "ready")
        # Redis is left alone for five seconds after a failure.
        number = 0
        async with asyncio.timeout(PATIENCE_S):
            while await replicas.metric(tell, "tell_limits_shared") == 0:
                number += 1
                assert (await replicas.purchase(tell, f"back-{tell.url}-{number}"))[0] == 202


async def test_a_redis_that_hangs_holds_nobody_up(replicas: Replicas) -> None:
    """A request waits for it a quarter of a second, and the next ones do not."""
    replicas.redis.stall()
    loop = asyncio.get_running_loop()
    for tell in replicas.tells:
        await replicas.purchase(tell, f"hanging-{tell.url}")
        began = loop.time()
        for number in range(20):
            assert (await replicas.purchase(tell, f"hanging-{tell.url}-{number}"))[0] == 202
        assert loop.time() - began < PATIENCE_S / 10
        assert (await replicas.until(tell, "degraded"))["checks"]["database"]["ok"]
    replicas.redis.go_on()
    for tell in replicas.tells:
        await replicas.until(tell, "ready")


async def test_while_the_database_is_away_who_listens_goes_on(replicas: Replicas) -> None:
    """Segments come, a purchase gets 503; when it is back all is as before, and nothing is lost."""
    files = [await replicas.file(tell) for tell in replicas.tells]
    ranges = {"Range": "bytes=0-999"}
    for tell, file in zip(replicas.tells, files, strict=True):
        assert (await replicas.get(tell, file, **ranges))[0] == 206
    before = await replicas.purchase(replicas.tells[0], "before")
    assert before[0] == 202
    await replicas.enriched(replicas.tells[0], before[1])
    for tell, file in zip(replicas.tells, files, strict=True):
        # What its look-up may have changed of the screening was seen, and the ticket read again.
        assert (await replicas.get(tell, file, **ranges))[0] == 206
    replicas.mariadb.kill()
    for tell, file in zip(replicas.tells, files, strict=True):
        await replicas.until(tell, "unready")
        assert (await replicas.get(tell, file, **ranges))[0] == 206
        status, problem = await replicas.purchase(tell, "meanwhile")
        assert (status, problem["code"]) == (503, "database-unavailable")
        bearer = f"Bearer {replicas.listener}"
        assert (await replicas.get(tell, replicas.grant_path, Authorization=bearer))[0] == 503
    replicas.mariadb.start()
    for tell in replicas.tells:
        await replicas.until(tell, "ready")
        assert await replicas.file(tell)
        # As the partner does it, and the same answer from both.
        status, answer = await replicas.purchase(tell, "before")
        assert (status, answer["correlation_id"]) == (202, before[1]["correlation_id"])
    again = [await replicas.purchase(tell, "meanwhile") for tell in replicas.tells]
    assert [status for status, _ in again] == [202, 202]
    assert again[0][1]["correlation_id"] == again[1][1]["correlation_id"]


async def test_a_replica_killed_takes_no_ticket_with_it(replicas: Replicas) -> None:
    """The other one knows the listener, plays her film, and does what the dead one had begun."""
    dead, alive = replicas.tells
    status, answer = await replicas.purchase(dead, "just-before")
    assert status == 202
    await dead.kill()
    assert (await replicas.get(alive, await replicas.file(alive), Range="bytes=0-999"))[0] == 206
    # Looked up by one or the other; a dead one's claim on it runs out.
    await replicas.enriched(alive, answer)
