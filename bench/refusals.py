"""`make bench-refusals`: what a good token costs, and a wrong one by itself and over HTTP.

Every way in which tests/media/test_tampering.py makes tokens has its like here in short: bits,
lengths, other keys, other fields, expired ones. One connection asks for segments with them, one
after the other, and in turns with one to nginx, which refuses links of its own (secure_link) that
were changed; what is measured is from the first byte sent to the last one read.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.evening import RENDITION, make_evening
from bench.figures import Bar, Chart, hand_over, quick, rounded
from bench.join_load import answer_of
from bench.nginx import Peer, running_peer
from bench.processes import port_of
from demo.services import program, start_service
from gateway.secrets import signing_path
from media.errors import TokenError
from media.tokens import Keyring, Tokens

ALONE = 100_000
OVER_HTTP = 10_000
NEEDED_P99_MS = 1.0
NEEDED_VERIFIED_US = 20.0
_ROUNDS = 5


async def main(alone: int = ALONE, over_http: int = OVER_HTTP) -> int:
    """Print all; the exit code is 1 where one takes too long, or a wrong token is accepted."""
    with tempfile.TemporaryDirectory(prefix="tell-bench-", dir=".") as name:
        folder = await asyncio.to_thread(Path(name).absolute)
        evening = await make_evening(folder, 10)
        tokens = Tokens(Keyring.load(signing_path(folder / "secrets")))
        good = [each.stream_token for each in evening.listeners]
        verified_us = await asyncio.to_thread(_verified, tokens, good, alone // _ROUNDS)
        print(
            f"good tokens verified, median of {_ROUNDS} rounds of {alone // _ROUNDS}: "
            f"{verified_us:.1f} us each (at most {NEEDED_VERIFIED_US:g} is needed)"
        )
        wrong = _wrong(tokens, evening.listeners[0].stream_token)
        took_ms = await asyncio.to_thread(_refused_alone, tokens, wrong, alone)
        print(f"tokens refused, {alone} of them: {_line(took_ms)} (verified, no HTTP)")
        command = [program("tell"), "serve", "--port", "0"]
        tell = await start_service("Tell", command, folder / "tell.log", evening.environ)
        try:
            async with running_peer(folder, evening.file.parent) as nginx:
                over_ms, peer_ms = await _refused_over_http(
                    ((port_of(tell.url), lambda: _segment(wrong())), (nginx.port, _changed(nginx))),
                    over_http,
                )
        finally:
            await tell.stop()
        print(f"segments refused, {over_http} of them: {_line(over_ms)} (HTTP, one connection)")
        print(f"the same of nginx, secure_link: {_line(peer_ms)}")
    print(f"  below {NEEDED_P99_MS:g} ms is needed at p99")
    return hand_over(
        Chart(
            title="Microseconds until a good token is verified",
            command="make bench-refusals",
            bars=[Bar(name="Tell", value=rounded(verified_us), at_most=NEEDED_VERIFIED_US)],
            drawn=False,
        ),
        Chart(
            title="Milliseconds until a wrong token is refused, p99",
            command="make bench-refusals",
            bars=[
                Bar(
                    name="by itself",
                    value=rounded(_percentile(took_ms, 99)),
                    at_most=NEEDED_P99_MS,
                ),
                Bar(
                    name="over HTTP",
                    value=rounded(_percentile(over_ms, 99)),
                    at_most=NEEDED_P99_MS,
                ),
                Bar(name="nginx, over HTTP", value=rounded(_percentile(peer_ms, 99)), peer=True),
            ],
            drawn=False,
        ),
    )


def _verified(tokens: Tokens, good: Sequence[str], count: int) -> float:
    """Microseconds of processor time for one of *good*, which nobody remembers: none is kept."""
    now = datetime.now(UTC)
    rounds = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        for number in range(count):
            tokens.read_stream_token(good[number % len(good)], now)
        rounds.append(1e6 * (time.process_time() - began) / count)
    return statistics.median(rounds)


def _wrong(tokens: Tokens, token: str) -> Callable[[], str]:
    """Makes tokens that open nothing, the same ones each time."""
    chance = random.Random(4)  # noqa: S311
    claims = tokens.read_stream_token(token, datetime.now(UTC))
    stranger = Tokens(Keyring([("k1", bytes(32))]))

    def make() -> str:
        at = chance.randrange(len(token))
        other = "x" if token[at] != "x" else "y"
        kind = chance.randrange(5)
        if kind == 0:
            return token[:at] + other + token[at + 1 :]
        if kind == 1:
            return token[:at] + "~"
        if kind == 2:
            return stranger.stream_token(claims)
        if kind == 3:
            return token.replace(claims.ticket, "a" * len(claims.ticket))
        over = datetime.now(UTC) - timedelta(seconds=chance.randint(1, 10**6))
        return tokens.stream_token(replace(claims, expires_at=over))

    return make


def _refused_alone(tokens: Tokens, wrong: Callable[[], str], count: int) -> list[float]:
    now = datetime.now(UTC)
    took = []
    for _ in range(count):
        token = wrong()
        began = time.perf_counter()
        try:
            tokens.read_stream_token(token, now)
        except TokenError:
            took.append(1000 * (time.perf_counter() - began))
        else:
            raise AssertionError("a wrong token was accepted")
    return sorted(took)


def _segment(token: str) -> str:
    return f"/stream/{token}/{RENDITION}.mp4"


def _changed(nginx: Peer) -> Callable[[], str]:
    """Makes paths whose signature nginx does not find right."""
    chance = random.Random(4)  # noqa: S311
    begins = len("/signed/")

    def make() -> str:
        path = nginx.path("a" * 20, f"{RENDITION}.mp4")
        at = begins + chance.randrange(20)
        return path[:at] + ("x" if path[at] != "x" else "y") + path[at + 1 :]

    return make


async def _refused_over_http(
    sides: Sequence[tuple[int, Callable[[], str]]], count: int
) -> list[list[float]]:
    """Milliseconds of each refusal, by the sides: ports, and what makes paths for them."""
    lines = [await asyncio.open_connection("127.0.0.1", port) for port, _ in sides]
    took: list[list[float]] = [[] for _ in sides]
    for _ in range(count):
        for (_, path), (reader, writer), its in zip(sides, lines, took, strict=True):
            text = f"GET {path()} HTTP/1.1\r\nHost: tell.example\r\nRange: bytes=0-47999\r\n\r\n"
            began = time.perf_counter()
            writer.write(text.encode())
            head, _ = await answer_of(reader)
            its.append(1000 * (time.perf_counter() - began))
            if not head.startswith((b"http/1.1 403", b"http/1.1 404")):
                raise AssertionError(head.decode("latin-1"))
    for _, writer in lines:
        writer.close()
    return [sorted(its) for its in took]


def _line(took_ms: Sequence[float]) -> str:
    return (
        f"p50 {_percentile(took_ms, 50):.3f} ms, p99 {_percentile(took_ms, 99):.3f} ms, "
        f"largest {took_ms[-1]:.3f} ms"
    )


def _percentile(ordered: Sequence[float], percent: int) -> float:
    return ordered[len(ordered) * percent // 100]


if __name__ == "__main__":
    sys.exit(asyncio.run(main(5_000, 200) if quick() else main()))
