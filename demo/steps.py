"""What the demos do alike: make keys and a track, start services, print the links."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path

from demo.chain import Sale
from demo.check import CheckError
from demo.services import DemoError, Service, program, run_command, start_service
from demo.voice import write_demo_track

MOVIE_ID, TITLE, MINUTES = "one-week", "One Week", 25
ENVIRONMENT = "local"


def run_demo(run: Coroutine[None, None, None], *, proves: bool) -> int:
    """Run a demo until it ends or is ended; the exit code is 1 when a step or the proof failed.

    Who ends a demo has seen it; a proof that was ended has proved nothing (128 and the signal).
    """
    try:
        asyncio.run(_ended_by_signals(run))
    except (DemoError, CheckError) as error:
        print(f"\nFAILED: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError) as end:
        print("\nEverything is stopped.")
        ended_by = signal.SIGINT if isinstance(end, KeyboardInterrupt) else signal.SIGTERM
        return 128 + ended_by if proves else 0
    return 0


async def _ended_by_signals(run: Coroutine[None, None, None]) -> None:
    # Ctrl-C reaches the whole group; SIGTERM (a stopped CI) must end the services as well.
    this = asyncio.current_task()
    assert this is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    await run


async def make_secrets(folder: Path, environment: str, environ: Mapping[str, str]) -> None:
    """Make the key files in *folder*/secrets where one is missing; raises DemoError."""
    names = ("signing.keys", "master.key", "ops.token", f"webhook-{environment}.keys")
    if not all((folder / "secrets" / name).exists() for name in names):
        await run_command("tell keys init", [program("tell"), "keys", "init"], environ)


async def make_track(folder: Path, environ: Mapping[str, str]) -> None:
    """Write the voice, package it and publish it where *environ* says; raises DemoError."""
    master = folder / "master.wav"
    began = time.monotonic()
    await asyncio.to_thread(write_demo_track, master, MINUTES * 60, TITLE)
    print(f"A voice that says the film's time: {MINUTES} minutes written", end=" ")
    print(f"in {time.monotonic() - began:.1f} s.", flush=True)
    began = time.monotonic()
    command = [program("tell-package"), "add", str(master), "--movie-id", MOVIE_ID]
    command += ["--language", "en", "--title", TITLE]
    await run_command("tell-package add", command, environ)
    print(f"Packaged and published in {time.monotonic() - began:.1f} s.", flush=True)
    master.unlink()


async def started(
    stack: contextlib.AsyncExitStack,
    name: str,
    command: Sequence[str],
    log: Path,
    environ: Mapping[str, str] | None = None,
) -> Service:
    """Start a service that ends with *stack*, and say where it listens; raises DemoError."""
    service = await start_service(name, command, log, environ)
    stack.push_async_callback(service.stop)
    print(f"{name} listens on {service.url} (log: {log})", flush=True)
    return service


def show(sales: Sequence[Sale], tell_url: str, amc_url: str) -> None:
    """Print where everything is, and the link of each ticket."""
    print(f"\nThe box office of AMC-clone: {amc_url}\nTell:                        {tell_url}")
    print(f"The operator's page:         {tell_url}/ops (its token is in secrets/ops.token)\n")
    for sale in sales:
        print(f"  {TITLE}, {sale.when} ({sale.theater_name}, auditorium {sale.auditorium_number})")
        print(f"    {sale.listen_url}\n")
    sys.stdout.flush()
