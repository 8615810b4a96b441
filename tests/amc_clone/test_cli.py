"""The command, run as a process as people run it."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from tests.amc_clone.partner import KEY_ID, LISTEN_URL, SECRET, TellServer

ROOT = Path(__file__).parents[2]
# A process starts in two seconds, and in many more where others take the processor.
PATIENCE_S = 120


@dataclass
class Run:
    """What a command did."""

    code: int | None
    out: str
    err: str


async def start(*arguments: str) -> Process:
    """Start `amc-clone` with these arguments."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "amc_clone", *arguments, cwd=ROOT, stdout=PIPE, stderr=PIPE
    )


async def run(*arguments: str) -> Run:
    """Run `amc-clone` to its end."""
    process = await start(*arguments)
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    return Run(process.returncode, out.decode(), err.decode())


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    """A secret file as `tell keys new` writes it."""
    path = tmp_path / "webhook-local.keys"
    path.write_text(f"# local\nwhsec_{base64.b64encode(SECRET).decode()}\n")
    return path


@dataclass
class Serving:
    """A running service and what it wrote."""

    url: str
    process: Process
    out: str = ""
    err: str = ""

    async def stop(self, by: signal.Signals) -> int | None:
        """Send a signal, and read the rest."""
        self.process.send_signal(by)
        async with asyncio.timeout(PATIENCE_S):
            out, err = await self.process.communicate()
        self.out, self.err = out.decode(), err.decode()
        return self.process.returncode


@asynccontextmanager
async def serving(
    database: str, secret_file: Path, tell_url: str, *more: str
) -> AsyncIterator[Serving]:
    """A running service on a free port."""
    process = await start(
        *("serve", "--database", database, "--host", "127.0.0.1", "--port", "0"),
        *("--tell-url", tell_url, "--key-id", KEY_ID, "--secret-file", str(secret_file), *more),
    )
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE_S):
        line = (await process.stdout.readline()).decode()
    if not line:
        pytest.fail((await process.stderr.read()).decode())
    words, _, url = line.strip().rpartition(" ")
    assert words == "AMC-clone listens on"
    try:
        yield Serving(url, process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def a_showtime(url: str) -> str:
    """Put a screening on, as the demo does."""
    now = datetime.now(UTC)
    body = {
        "movie_id": "one-week",
        "place_id": "hudson-street-12",
        "auditorium_number": "12",
        "previews_start": now.isoformat(),
        "movie_start": (now + timedelta(minutes=3)).isoformat(),
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/api/screenings", json=body) as answer,
    ):
        assert answer.status == 201, await answer.text()
        showtime_id: str = (await answer.json())["showtime_id"]
        return showtime_id


async def test_serve_sell_and_stop(database_url: str, secret_file: Path, tell: TellServer) -> None:
    """One line on stdout, JSON on stderr, a sale by `sell`, and exit code 0 at SIGTERM."""
    await tell.start()
    async with serving(database_url, secret_file, tell.url) as service:
        showtime_id = await a_showtime(service.url)
        sold = await run("sell", "--url", service.url, "--showtime-id", showtime_id)
        assert (sold.code, sold.out) == (0, f"{LISTEN_URL}\n"), sold.err
        whole = await run("sell", "--url", service.url, "--showtime-id", showtime_id, "--json")
        assert json.loads(whole.out)["listen_url"] == LISTEN_URL
        assert await service.stop(signal.SIGTERM) == 0
    assert service.out == ""
    events = [json.loads(line) for line in service.err.splitlines()]
    assert {"listening", "request", "outbox.delivered", "stopping"} <= {
        event["event"] for event in events
    }
    assert LISTEN_URL not in service.err
    assert json.loads(whole.out)["purchase_id"] not in service.err


async def test_ctrl_c_stops_it_too(database_url: str, secret_file: Path) -> None:
    """SIGINT: exit code 0 and no traceback, though someone waits for Tell's answer."""
    async with serving(database_url, secret_file, "http://127.0.0.1:9") as service:
        showtime_id = await a_showtime(service.url)
        sold = await run(
            *("sell", "--url", service.url, "--showtime-id", showtime_id, "--wait-s", "0")
        )
        assert sold.code == 2
        assert "pending" in sold.err
        assert await service.stop(signal.SIGINT) == 0
    assert "Traceback" not in service.err


@pytest.mark.both_databases
async def test_a_sale_survives_kill_9(
    database_url: str, secret_file: Path, tell: TellServer
) -> None:
    """Sold while Tell is down, killed at once: after the restart Tell is told."""
    async with serving(database_url, secret_file, tell.url) as service:
        showtime_id = await a_showtime(service.url)
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"{service.url}/api/purchases", json={"showtime_id": showtime_id}
            ) as answer,
        ):
            assert answer.status == 201
            purchase_id = (await answer.json())["purchase_id"]
        assert await service.stop(signal.SIGKILL) == -signal.SIGKILL
    await tell.start()
    async with serving(database_url, secret_file, tell.url):
        received = await tell.tries(1)
    assert received[0].notice["purchase_id"] == purchase_id


async def test_seed_fills_a_database_once(tmp_path: Path) -> None:
    """The second time there is nothing to add."""
    database = str(tmp_path / "folder" / "amc.db")
    first = await run("seed", "--database", database)
    assert first.code == 0, first.err
    assert first.out.startswith("Added 5 theaters, 13 movies and ")
    second = await run("seed", "--database", database)
    assert second.code == 0
    assert second.out.startswith("Added 0 theaters, 0 movies and ")


async def test_what_a_person_can_mend_is_one_line(
    tmp_path: Path, database_url: str, secret_file: Path
) -> None:
    """A missing secret file, an address that is taken, a service that is not there."""
    missing = await run(
        *("serve", "--database", database_url, "--tell-url", "http://127.0.0.1:9"),
        *("--key-id", "local", "--secret-file", str(tmp_path / "nothing")),
    )
    assert missing.code == 1
    assert missing.err.startswith("amc-clone: ")
    assert "nothing: cannot be read" in missing.err
    async with serving(database_url, secret_file, "http://127.0.0.1:9") as service:
        port = service.url.rpartition(":")[2]
        taken = await run(
            *("serve", "--database", str(tmp_path / "other.db"), "--port", port),
            *("--tell-url", "http://127.0.0.1:9", "--key-id", "local"),
            *("--secret-file", str(secret_file)),
        )
        unknown = await run("sell", "--url", service.url, "--showtime-id", "st-unknown")
    assert taken.code == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in taken.err
    assert unknown.code == 1
    assert unknown.err == "amc-clone: screening-not-found: there is no screening st-unknown\n"
    gone = await run("sell", "--url", service.url, "--showtime-id", "st-unknown")
    assert gone.code == 1
    assert gone.err.startswith(f"amc-clone: {service.url}: no answer")
