"""Limits at the door: whose request it is, 429 where it comes too often, and what remains."""

from __future__ import annotations

from aiohttp import web

from gateway.addresses import client_address, partition
from gateway.errors import RateLimitedError
from gateway.keys import LIMITS, METRICS, PROXIES, STANDINGS
from gateway.limits import Policy, Standing


def client_of(request: web.Request) -> str:
    """The address that limits count the request for; it is not logged."""
    proxies = request.app[PROXIES]
    said = request.headers.getall(proxies.header, ())
    return partition(client_address(request.remote, said, proxies))


async def throttle(request: web.Request, policy: Policy, client: str) -> None:
    """Count the request for *client*; raises RateLimitedError beyond the policy."""
    _heed(request, await request.app[LIMITS].take(policy, client))


async def check_throttle(request: web.Request, policy: Policy, client: str) -> None:
    """Raise RateLimitedError where *client* has used up the policy; counts nothing."""
    _heed(request, await request.app[LIMITS].look(policy, client))


def rate_limit_headers(standings: list[Standing]) -> dict[str, str]:
    """The two fields of draft-ietf-httpapi-ratelimit-headers-10: policies (3) and standings (4)."""
    return {
        # 3.1: a String with q, the quota, and w, the window in seconds.
        "RateLimit-Policy": ", ".join(
            f'"{each.policy.name}";q={each.policy.quota};w={each.policy.window_s}'
            for each in standings
        ),
        # 4.1: r, what remains, and t, the seconds until there is more.
        "RateLimit": ", ".join(
            f'"{each.policy.name}";r={each.remaining};t={each.reset_s}' for each in standings
        ),
    }


def _heed(request: web.Request, standing: Standing) -> None:
    known = [each for each in request.get(STANDINGS, []) if each.policy != standing.policy]
    request[STANDINGS] = [*known, standing]
    if not standing.allowed:
        policy = standing.policy
        request.app[METRICS].limited.labels(policy.name).inc()
        raise RateLimitedError(policy.name, policy.quota, policy.window_s, standing.reset_s)
