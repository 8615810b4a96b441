"""Buying through a running AMC-clone's API, for `amc-clone sell`."""

from __future__ import annotations

from typing import Any

import aiohttp

from amc_clone.errors import SaleRequestError

_TIMEOUT = aiohttp.ClientTimeout(total=60)
_WAIT_S = 20


async def buy(url: str, showtime_id: str, wait_s: float) -> dict[str, Any]:
    """Buy a ticket at the service *url* and wait up to *wait_s* seconds for Tell's answer.

    Returns the purchase as the API shows it; its `status` is "pending" if Tell has not answered
    by then. Raises SaleRequestError with what the service said.
    """
    base = url.rstrip("/")
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        purchase = await _ask(
            session, "POST", f"{base}/api/purchases", json={"showtime_id": showtime_id}
        )
        address = f"{base}/api/purchases/{purchase['purchase_id']}"
        left_s = wait_s
        while purchase["status"] == "pending" and left_s > 0:
            # RFC 7240 4.3: the service answers as soon as there is news.
            step_s = min(left_s, _WAIT_S)
            purchase = await _ask(
                session, "GET", address, headers={"Prefer": f"wait={max(round(step_s), 1)}"}
            )
            left_s -= step_s
    return purchase


async def _ask(
    session: aiohttp.ClientSession, method: str, address: str, **options: Any
) -> dict[str, Any]:
    try:
        async with session.request(method, address, **options) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise SaleRequestError(f"{address.partition('/api/')[0]}: no answer: {error}") from error
    if response.status >= 400:
        raise SaleRequestError(f"{answer.get('code')}: {answer.get('detail')}")
    return answer
