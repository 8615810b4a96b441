"""Buyers who never give up: each purchase is posted until Tell answers it, whoever was killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
from sqlalchemy import select

from bench.crash_town import ENVIRONMENT, Town
from catalog.keys.webhooks import load_secret_file, sign_webhook
from catalog.models import PurchaseState
from catalog.store.database import Database
from catalog.store.schema import purchases

BUYERS = 24
PATIENCE_S = 120.0
_CLAIMED = 25
_AGAIN_AFTER_S = 0.03


@dataclass
class Promise:
    """A purchase as it is sent, and what the first 202 for it said."""

    webhook_id: str
    body: bytes
    correlation_id: str = ""
    listen_url: str = ""


@dataclass
class Ledger:
    """What the buyers know.

    `interrupted` counts requests that died on their way, `refused` those that got a 503; tries at
    which nobody listened count nowhere.
    """

    answered: dict[str, Promise] = field(default_factory=dict)
    sold_by_amc: list[str] = field(default_factory=list)
    interrupted: int = 0
    refused: int = 0
    repeated: int = 0


class Partner:
    """Buyers who post to Tell, and one who buys at AMC-clone."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        town: Town,
        ledger: Ledger,
        showings: list[dict[str, Any]],
        dice: random.Random,
    ) -> None:
        self._session = session
        self._town = town
        self._ledger = ledger
        self._showings = showings
        self._dice = dice
        self._numbers: Iterator[int] = iter(range(10**9))
        (self._secret,) = load_secret_file(town.secret_file)
        self._answered = asyncio.Condition()
        self.closing = False

    async def buy(self) -> None:
        """One purchase after the other, each sent until it is answered."""
        while not self.closing:
            purchase_id = f"crash-{next(self._numbers)}"
            promise = Promise(f"msg_{purchase_id}", self._notice(purchase_id))
            promise.correlation_id, promise.listen_url = await self._until_answered(promise)
            async with self._answered:
                self._ledger.answered[purchase_id] = promise
                self._answered.notify_all()

    async def sell_at_amc(self) -> None:
        """Buy tickets of AMC-clone, which tells Tell itself."""
        while not self.closing:
            body = {"showtime_id": self._dice.choice(self._showings)["showtime_id"]}
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with self._session.post(
                    f"{self._town.amc_url}/api/purchases", json=body
                ) as answer:
                    if answer.status == 201:
                        self._ledger.sold_by_amc.append((await answer.json())["purchase_id"])
            await asyncio.sleep(_AGAIN_AFTER_S)

    async def answers(self, more: int) -> None:
        """Wait until so many more purchases are answered: the load is on."""
        wanted = len(self._ledger.answered) + more
        async with asyncio.timeout(PATIENCE_S), self._answered:
            await self._answered.wait_for(lambda: len(self._ledger.answered) >= wanted)

    async def repeat_all(self) -> None:
        """Send each purchase once more: the answer must be the first one, to the letter."""
        promises = iter(list(self._ledger.answered.values()))

        async def repeat() -> None:
            for promise in promises:
                again = await self._until_answered(promise)
                assert again == (promise.correlation_id, promise.listen_url), promise
                self._ledger.repeated += 1

        await asyncio.gather(*(repeat() for _ in range(BUYERS)))

    async def claim_some(self) -> None:
        """The claim codes of some first answers open the tickets of their purchases."""
        promises = list(self._ledger.answered.values())
        for promise in self._dice.sample(promises, min(_CLAIMED, len(promises))):
            claim = {
                "claim_code": promise.listen_url.partition("#")[2],
                "device_nonce": "crash-device-0123456789",
            }
            async with self._session.post(
                f"{self._town.tell_url}/tell/claims", json=claim
            ) as answer:
                assert answer.status == 200, await answer.text()
                ticket = (await answer.json())["ticket"]
            assert ticket["correlation_id"] == promise.correlation_id

    async def check_amc_sales(self, url: str) -> None:
        """Each ticket that AMC-clone sold is told, once, and AMC-clone has Tell's answer."""
        for purchase_id in self._ledger.sold_by_amc:
            async with (
                asyncio.timeout(PATIENCE_S),
                self._session.get(
                    f"{self._town.amc_url}/api/purchases/{purchase_id}",
                    headers={"Prefer": "wait=25"},
                ) as answer,
            ):
                told = await answer.json()
            assert told["listen_url"], told
            rows = [row for row in await purchase_rows(url) if row[0] == purchase_id]
            assert [row[1] for row in rows] == [told["correlation_id"]], told

    async def _until_answered(self, promise: Promise) -> tuple[str, str]:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    async with self._session.post(
                        f"{self._town.tell_url}/tell/purchase",
                        data=promise.body,
                        headers=self._headers(promise),
                    ) as answer:
                        text = await answer.text()
                        if answer.status == 202:
                            told = json.loads(text)
                            return told["correlation_id"], told["listen_url"]
                        # 503 is "not now", which a partner sends again; nothing else may come.
                        assert answer.status == 503, f"{answer.status}: {text}"
                        self._ledger.refused += 1
                except aiohttp.ClientConnectorError:
                    pass
                except aiohttp.ClientError:
                    self._ledger.interrupted += 1
                await asyncio.sleep(_AGAIN_AFTER_S)

    def _headers(self, promise: Promise) -> dict[str, str]:
        timestamp_s = int(datetime.now(UTC).timestamp())
        signature = sign_webhook(self._secret, promise.webhook_id, timestamp_s, promise.body)
        return {
            "Content-Type": "application/json",
            "x-api-key": ENVIRONMENT,
            "webhook-id": promise.webhook_id,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": signature,
        }

    def _notice(self, purchase_id: str) -> bytes:
        showing = self._dice.choice(self._showings)
        return json.dumps(
            {
                "purchase_id": purchase_id,
                "movie_id": showing["movie_id"],
                "place_id": showing["place_id"],
                "auditorium_number": showing["auditorium_number"],
                "showtime_id": showing["showtime_id"],
                "purchased_at": datetime.now(UTC).isoformat(),
            }
        ).encode()


async def purchase_rows(url: str) -> list[tuple[str, str, PurchaseState]]:
    """purchase_id, correlation_id and state of all purchases in Tell's database at *url*."""
    database = await Database.open(url)
    try:
        async with database.read() as connection:
            rows = await connection.execute(
                select(purchases.c.purchase_id, purchases.c.correlation_id, purchases.c.state)
            )
            return [(row.purchase_id, row.correlation_id, row.state) for row in rows]
    finally:
        await database.close()
