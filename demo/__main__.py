"""`make demo`: package a track, start AMC-clone and Tell, sell three tickets, print their links."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

from demo import lan
from demo.certificates import ensure_certificates
from demo.chain import Sale, chain_at
from demo.check import check
from demo.services import DemoError, Service, program
from demo.steps import (
    ENVIRONMENT,
    MOVIE_ID,
    TITLE,
    make_secrets,
    make_track,
    run_demo,
    show,
    started,
)

# The ports that the README names, where they are free.
TELL_PORT, AMC_PORT = 8080, 8081


def main() -> int:
    """Run the demo; the exit code is 0 when all went well, 1 when a step or the proof failed."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="prove it with a real client, and end")
    how.add_argument(
        "--lan", metavar="ADDRESS", help="by HTTPS for phones in the room; 1 for this machine's own"
    )
    parser.add_argument("--folder", type=Path, default=Path("var/demo"), help="default var/demo")
    arguments = parser.parse_args()
    return run_demo(
        _run(arguments.folder, arguments.check, arguments.lan), proves=bool(arguments.check)
    )


async def _run(folder: Path, prove: bool, lan_address: str | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    environ = {
        "TELL_DATABASE__URL": f"sqlite:///{folder / 'tell.db'}",
        "TELL_MEDIA__ROOT": str(folder / "media"),
        "TELL_SECRETS__DIR": str(folder / "secrets"),
    }
    # Bound first: what the tickets' links begin with has to be known before one is sold.
    front = None if lan_address is None else _Front(folder / "lan", lan_address)
    if front is not None:
        environ["TELL_SERVER__PUBLIC_URL"] = front.url
    await make_secrets(folder, ENVIRONMENT, environ)
    if (folder / "media" / "tracks" / MOVIE_ID / "en" / "current.json").exists():
        print(f"The track of {TITLE} is published already.", flush=True)
    else:
        await make_track(folder, environ)
    # Yesterday's showings and tickets would only confuse: each demo begins with an empty evening.
    for old in (*folder.glob("tell.db*"), *folder.glob("amc.db*")):
        old.unlink()
    async with contextlib.AsyncExitStack() as stack:
        # AMC-clone posts to Tell and Tell asks AMC-clone, so one address must be known before.
        tell_port = 0 if prove else _port(TELL_PORT)
        amc_port = _port(0 if prove else AMC_PORT)
        tell = await started(
            stack,
            "Tell",
            [program("tell"), "serve", "--port", str(tell_port)],
            folder / "tell.log",
            {
                **environ,
                f"TELL_PARTNERS__{ENVIRONMENT.upper()}__BASE_URL": f"http://127.0.0.1:{amc_port}",
                f"TELL_PARTNERS__{ENVIRONMENT.upper()}__POSTER_BASE_URL": (
                    f"http://127.0.0.1:{amc_port}"
                ),
            },
        )
        secret = folder / "secrets" / f"webhook-{ENVIRONMENT}.keys"
        command = [program("amc-clone"), "serve", "--seed", "--database", str(folder / "amc.db")]
        command += ["--port", str(amc_port), "--tell-url", tell.url]
        command += ["--key-id", ENVIRONMENT, "--secret-file", str(secret)]
        amc = await started(stack, "AMC-clone", command, folder / "amc.log")
        async with chain_at(amc.url) as chain:
            sales = await chain.sell_three(MOVIE_ID)
        show(sales, tell.url, amc.url)
        if front is not None:
            await front.open(stack, tell, sales[0])
        if prove:
            await check(tell.url, amc.url, sales, folder)
        else:
            print("Ctrl-C stops everything.", flush=True)
            await asyncio.Event().wait()


class _Front:
    """What phones in the room need: Tell by HTTPS, and the authority that they have to trust."""

    def __init__(self, folder: Path, wanted: str) -> None:
        address = lan.chosen_address(wanted)
        self._certificates = ensure_certificates(folder, address, datetime.now(UTC))
        self._https = lan.listening_socket(address, lan.HTTPS_PORT)
        self._trust = lan.listening_socket(address, lan.TRUST_PORT)
        self.url = lan.url_of("https", self._https)

    async def open(self, stack: contextlib.AsyncExitStack, tell: Service, sale: Sale) -> None:
        """Serve both, and print how a phone gets there."""
        front = lan.https_front(tell.url, self._https, self._certificates)
        await stack.enter_async_context(front)
        page = lan.trust_page(self._trust, self.url, self._certificates)
        await stack.enter_async_context(page)
        lan.show(sale.listen_url, lan.url_of("http", self._trust), self._certificates)


def _port(wanted: int) -> int:
    """*wanted* where it is free, else one that the system chooses."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            # Connections of the last demo that time out still do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            free: int = probe.getsockname()[1]
            return free
    raise DemoError("no port is free on 127.0.0.1")


if __name__ == "__main__":
    sys.exit(main())
