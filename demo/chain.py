"""What the demo asks of AMC-clone: three showings at chosen times, and a ticket for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp

from demo.services import DemoError

_PREVIEWS = timedelta(minutes=20)
# Longer than AMC-clone waits between its first tries to reach Tell.
_ANSWER_WAIT_S = 20


@dataclass(frozen=True, slots=True)
class Sale:
    """A sold ticket: `listen_url` is what the buyer opens, `when` says in words when it plays."""

    when: str
    movie_id: str
    theater_name: str
    auditorium_number: str
    movie_start: datetime
    showtime_id: str
    correlation_id: str
    listen_url: str


class Chain:
    """A client of a running AMC-clone."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def sell_three(self, movie_id: str) -> list[Sale]:
        """Sell a film 12 minutes in, one that starts in 3 minutes, and one tonight."""
        theater = (await self._get("/api/theaters"))["theaters"][0]
        now = datetime.now(UTC)
        evening = tonight(now, theater["time_zone"])
        starts = {
            "12 minutes in": [now - timedelta(minutes=12)],
            "starts in 3 minutes": [now + timedelta(minutes=3)],
            # The seeded evening fills the house: the first gap from then on will do.
            "tonight": [evening + timedelta(minutes=later) for later in range(0, 180, 10)],
        }
        return [
            await self.sell(when, movie_id, theater["place_id"], movie_starts)
            for when, movie_starts in starts.items()
        ]

    async def sell(
        self, when: str, movie_id: str, place_id: str, movie_starts: Sequence[datetime]
    ) -> Sale:
        """Put a showing on at the first of *movie_starts* that is free, and sell a ticket.

        Returns once Tell has answered for it.
        """
        for movie_start in movie_starts:
            screening = await self._add_screening(movie_id, place_id, movie_start)
            if screening is not None:
                break
        else:
            raise DemoError(f"no auditorium is free ({when})")
        return await self._buy(when, movie_id, screening, movie_start)

    async def sell_again(self, sale: Sale) -> Sale:
        """Sell one more ticket for the same showing; returns once Tell has answered for it."""
        screening = {
            "showtime_id": sale.showtime_id,
            "theater_name": sale.theater_name,
            "auditorium_number": sale.auditorium_number,
        }
        return await self._buy(sale.when, sale.movie_id, screening, sale.movie_start)

    async def _buy(
        self, when: str, movie_id: str, screening: dict[str, Any], movie_start: datetime
    ) -> Sale:
        sold = await self._post("/api/purchases", {"showtime_id": screening["showtime_id"]})
        purchase = await self._get(
            f"/api/purchases/{sold['purchase_id']}", {"Prefer": f"wait={_ANSWER_WAIT_S}"}
        )
        if purchase["listen_url"] is None:
            raise DemoError(f"Tell did not answer for a sold ticket: {purchase['status']}")
        return Sale(
            when=when,
            movie_id=movie_id,
            theater_name=screening["theater_name"],
            auditorium_number=screening["auditorium_number"],
            movie_start=movie_start,
            showtime_id=screening["showtime_id"],
            correlation_id=purchase["correlation_id"],
            listen_url=purchase["listen_url"],
        )

    async def delay(self, sale: Sale, minutes: int) -> datetime:
        """Put the film off at the operator's desk; returns when it starts now."""
        path = f"/api/screenings/{sale.showtime_id}/delay"
        return _starts(await self._post(path, {"minutes": minutes}))

    async def start(self, sale: Sale) -> datetime:
        """Press "start now" at the operator's desk; returns the instant that it stamped."""
        return _starts(await self._post(f"/api/screenings/{sale.showtime_id}/start", {}))

    async def cancel(self, sale: Sale) -> None:
        """Cancel the showing at the operator's desk."""
        await self._post(f"/api/screenings/{sale.showtime_id}/cancel", {})

    async def _add_screening(
        self, movie_id: str, place_id: str, movie_start: datetime
    ) -> dict[str, Any] | None:
        """In the first auditorium that is free then, in *place_id* before others; None if none."""
        theaters = (await self._get("/api/theaters"))["theaters"]
        places = sorted((each["place_id"] for each in theaters), key=lambda each: each != place_id)
        for place in places:
            for number in range(1, 31):
                body = {
                    "movie_id": movie_id,
                    "place_id": place,
                    "auditorium_number": str(number),
                    "previews_start": (movie_start - _PREVIEWS).isoformat(),
                    "movie_start": movie_start.isoformat(),
                }
                async with self._session.post("/api/screenings", json=body) as response:
                    if response.status == 201:
                        added: dict[str, Any] = await response.json()
                        return added
                    # 404: the theater has no more auditoriums; 409: something plays there then.
                    if response.status == 404:
                        break
                    if response.status != 409:
                        raise DemoError(f"AMC-clone: {response.status} {await response.text()}")
        return None

    async def _get(self, path: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        async with self._session.get(path, headers=headers) as response:
            return await _json(response)

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self._session.post(path, json=body) as response:
            return await _json(response)


@asynccontextmanager
async def chain_at(url: str) -> AsyncIterator[Chain]:
    """A client of the AMC-clone at *url*."""
    async with aiohttp.ClientSession(url) as session:
        yield Chain(session)


def tonight(now: datetime, time_zone: str) -> datetime:
    """20:00 in *time_zone* where that is an hour away at least, else two hours from *now*."""
    local = now.astimezone(ZoneInfo(time_zone))
    evening = local.replace(hour=20, minute=0, second=0, microsecond=0).astimezone(UTC)
    return evening if evening - now >= timedelta(hours=1) else now + timedelta(hours=2)


def _starts(screening: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(screening["movie_start"])


async def _json(response: aiohttp.ClientResponse) -> dict[str, Any]:
    if response.status >= 300:
        raise DemoError(f"AMC-clone: {response.status} {await response.text()}")
    answer: dict[str, Any] = await response.json()
    return answer
