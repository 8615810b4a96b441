"""`tell serve --workers`: real processes, killed, replaced and drained under listeners."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.settings import DatabaseSettings, ServerSettings
from media.track import Track, current_key, dump_track
from tests.gateway.processes import PATIENCE_S, TellProcess, run_tell
from tests.gateway.test_server import Evening
from tests.gateway.workers.clients import Hammers, Wire, length_of, wire_to

# More than the buffers of two sockets hold: a slow reader keeps its server busy.
FILE_BYTES = 24_000_000
SLOW_BYTES = 4096


@pytest.fixture
async def evening(tmp_path: Path, media_root: Path, track: Track, chain: Path) -> Any:
    """An evening whose English track has a file that takes its time."""
    root = tmp_path / "media"
    shutil.copytree(media_root / track.prefix, root / track.prefix)
    rendition = track.rendition("aac-64k")
    assert rendition is not None
    # What lies behind the last fragment is played by nobody, and downloaded with the rest.
    rest = random.Random(3).randbytes(FILE_BYTES - rendition.size_bytes)  # noqa: S311  (noise)
    with (root / track.prefix / rendition.file_name).open("ab") as file:
        file.write(rest)
    large = rendition.model_copy(update={"size_bytes": FILE_BYTES})
    changed = track.model_copy(update={"renditions": (large,)})
    (root / track.prefix / "track.json").write_bytes(dump_track(changed))
    current = current_key(track.movie_id, track.language)
    shutil.copy(media_root / current, root / current)
    evening = Evening(tmp_path, root, chain)
    yield evening
    await evening.close()


@dataclass
class Night:
    """A Tell with two workers and a listener with her grant."""

    tell: TellProcess
    port: int
    listener: str
    file: str
    content: bytes

    async def pid(self, worker: int, after: int = 0) -> int:
        """Process id of a worker that became ready behind line *after* of the log."""
        pid: int = (await self.tell.logged("worker_ready", after=after, worker=worker))["pid"]
        return pid

    async def slow_download(self, worker: int) -> tuple[Wire, int]:
        """A download from that worker which has begun, and its length."""
        wire = await wire_to(self.port, worker, SLOW_BYTES)
        return wire, length_of(await wire.ask(self.file))

    async def finish(self, wire: Wire, size: int) -> None:
        """Read the rest: all that was published is there."""
        assert wire.reader is not None
        async with asyncio.timeout(PATIENCE_S):
            assert await wire.reader.readexactly(size) == self.content
        wire.close()


@pytest.fixture
async def night(evening: Evening) -> AsyncIterator[Night]:
    """Everything runs; in the end it is stopped, where a test did not."""
    services = await evening.open_amc()
    screening = await evening.show(services, 60, "1")
    server = ServerSettings(port=0, workers=2, drain_s=30.0, hand_over_s=30.0)
    tell = await TellProcess.start(evening.config(server=server))
    listener, _, grant = await evening.sell(services, screening, tell)
    file = grant["downloads"][0]["url"]
    root = Path(evening.settings.media.root)
    (published,) = root.rglob("aac-64k.mp4")
    for worker in (0, 1):
        await tell.logged("worker_ready", worker=worker)
    night = Night(tell, int(tell.url.rpartition(":")[2]), listener, file, published.read_bytes())
    yield night
    await tell.leave_none()


async def metrics_of(wire: Wire) -> dict[str, float]:
    """Each metric's sum over its labels, as the worker at the other end tells."""
    _, body = await wire.get("/metrics")
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(body.decode()):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    return sums


async def test_two_workers_are_one_gateway(night: Night) -> None:
    """Both answer, each tells of both in /metrics and /readyz, and SIGTERM ends all with 0."""
    wires = [await wire_to(night.port, worker) for worker in (0, 1)]
    pids = {await night.pid(worker) for worker in (0, 1)}
    assert len(pids) == 2
    before = [await metrics_of(wire) for wire in wires]
    for wire in wires:
        for _ in range(5):
            await wire.get("/time?nonce=abcdefgh")
    after = [await metrics_of(wire) for wire in wires]
    for early, late in zip(before, after, strict=True):
        assert late["tell_http_requests_total"] - early["tell_http_requests_total"] >= 10
        assert late["tell_workers_running"] == late["tell_workers_wanted"] == 2
        assert late["tell_purchases_accepted_total"] == 1
    for wire in wires:
        _, body = await wire.get("/readyz")
        assert b'"workers":{"ok":true' in body.replace(b" ", b"")
        wire.close()
    code, rest = await night.tell.stop()
    assert (code, rest) == (0, "")
    assert "ResourceWarning" not in "".join(night.tell.log)
    assert "Traceback" not in "".join(night.tell.log)


async def test_a_killed_worker_takes_nobody_with_it(night: Night) -> None:
    """Who is with the other hears on, whoever comes is answered, and a new worker stands there."""
    wire, size = await night.slow_download(0)
    killed = await night.pid(1)
    seen = len(night.tell.log)
    witness = await wire_to(night.port, 0)
    counted = (await metrics_of(witness))["tell_http_requests_total"]
    os.kill(killed, signal.SIGKILL)
    dead = await night.tell.logged("worker_died", after=seen)
    assert (dead["worker"], dead["pid"], dead["exit_code"]) == (1, killed, -signal.SIGKILL)
    # From the instant of which the supervisor knows, the other takes all that come.
    async with Hammers(night.port) as hammers:
        assert await night.pid(1, after=seen) != killed
        await hammers.more(200)
    assert hammers.failures == []
    (await wire_to(night.port, 1)).close()
    assert (await metrics_of(witness))["tell_http_requests_total"] > counted + 200
    witness.close()
    await night.finish(wire, size)
    assert (await night.tell.stop())[0] == 0


async def test_a_rolling_restart_refuses_nothing(night: Night) -> None:
    """SIGHUP under load: every request is answered, every download ends, and all are new."""
    pids = {worker: await night.pid(worker) for worker in (0, 1)}
    downloads = [await night.slow_download(worker) for worker in (0, 1)]
    ears = await Wire(night.port).open()
    assert ears.reader is not None
    head = await ears.ask("/tell/events", f"Authorization: Bearer {night.listener}")
    assert head.startswith(b"HTTP/1.1 200 ")
    seen = len(night.tell.log)
    async with Hammers(night.port) as hammers:
        night.tell.signal(signal.SIGHUP)
        for worker, (wire, size) in enumerate(downloads):
            assert await night.pid(worker, after=seen) != pids[worker]
            # The old worker sees it out, while the new one answers all others.
            await night.tell.logged("worker_retires", after=seen)
            await night.finish(wire, size)
        await night.tell.logged("workers_replaced", after=seen)
        # Chunks of one line, the last of which has no length.
        stream = await ears.reader.read(-1)
    ears.close()
    assert hammers.failures == []
    assert hammers.answered > 100
    hints = [line for line in stream.splitlines() if line.startswith(b"retry: ")]
    assert len(hints) == 2
    assert 250 <= int(hints[1].removeprefix(b"retry: ")) <= 2000
    assert stream.endswith(b"0\r\n\r\n")
    for pid in pids.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert (await night.tell.stop())[0] == 0


async def test_sigterm_waits_for_what_is_being_sent(night: Night) -> None:
    """A download that runs is finished; a connection that comes is refused."""
    wire, size = await night.slow_download(1)
    stopping = asyncio.create_task(night.tell.stop())
    await night.tell.logged("stopping")
    # The sockets are closed when the last worker has closed them too.
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                late = await Wire(night.port).open()
            except ConnectionRefusedError:
                break
            except ConnectionResetError:
                # It stood in the queue of a socket that was closed just then.
                continue
            late.close()
    await night.finish(wire, size)
    assert await stopping == (0, "")


async def test_settings_that_cannot_be_used_replace_nobody(night: Night, evening: Evening) -> None:
    """Those of before go on; mended, the next SIGHUP takes them up."""
    pids = {worker: await night.pid(worker) for worker in (0, 1)}
    config = evening.folder / "config.toml"
    good = config.read_text()
    config.write_text(good + "\n[nonsense]\n")
    seen = len(night.tell.log)
    night.tell.signal(signal.SIGHUP)
    await night.tell.logged("workers_not_replaced", after=seen)
    for pid in pids.values():
        os.kill(pid, 0)
    assert any("nonsense" in line for line in night.tell.log[seen:])
    config.write_text(good)
    seen = len(night.tell.log)
    night.tell.signal(signal.SIGHUP)
    await night.tell.logged("workers_replaced", after=seen)
    assert (await night.tell.stop())[0] == 0


async def test_workers_end_with_their_supervisor(night: Night, evening: Evening) -> None:
    """Killed, it leaves none behind, and the port is free for the next one."""
    # This reads the output to its end, which comes when the last of them has ended, too.
    await night.tell.kill()
    await night.tell.logged("supervisor_gone")
    server = ServerSettings(port=night.port, workers=2)
    again = await TellProcess.start(evening.config(server=server))
    assert again.url.endswith(f":{night.port}")
    assert (await again.stop())[0] == 0


async def test_it_gives_up_where_no_worker_can_start(evening: Evening) -> None:
    """With what they said, and in one line what that means."""
    nowhere = DatabaseSettings(url="sqlite:////proc/nowhere/tell.db")
    server = ServerSettings(port=0, workers=2)
    config = evening.config(server=server, database=nowhere)
    code, out, err = await run_tell("serve", "--config", str(config))
    assert (code, out) == (1, "")
    assert err.count("/proc/nowhere/tell.db") >= 5
    assert err.rstrip().rpartition("\n")[2] == (
        "tell: 5 workers in a row died at their start, and none answers; "
        "what they wrote above says why"
    )


async def test_systemd_hears_how_it_stands(evening: Evening, tmp_path: Path) -> None:
    """Ready, alive, reloading, ready again, stopping: in this order, from the supervisor alone."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        path = tmp_path / "n"
        systemd.bind(str(path))
        systemd.setblocking(False)
        heard: asyncio.Queue[str] = asyncio.Queue()

        async def listen() -> None:
            """As systemd does, at once: a socket holds ten unread words (unix(7))."""
            while True:
                heard.put_nowait((await loop.sock_recv(systemd, 4096)).decode())

        listening = asyncio.create_task(listen())

        async def hear(state: str) -> str:
            """The next datagram that is neither a status nor, where another is waited for, life."""
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    told = await heard.get()
                    if not told.startswith("STATUS=") and (told != "WATCHDOG=1" or told == state):
                        return told

        tell = await TellProcess.start(
            evening.config(server=ServerSettings(port=0, workers=2)),
            environ={"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "400000"},
        )
        assert await hear("READY=1") == "READY=1"
        assert await hear("WATCHDOG=1") == "WATCHDOG=1"
        await tell.logged("worker_ready", worker=1)
        tell.signal(signal.SIGHUP)
        assert (await hear("RELOADING=1")).startswith("RELOADING=1\nMONOTONIC_USEC=")
        assert await hear("READY=1") == "READY=1"
        stopping = asyncio.create_task(tell.stop())
        assert await hear("STOPPING=1") == "STOPPING=1"
        assert (await stopping)[0] == 0
        listening.cancel()
        await asyncio.wait([listening])


async def test_two_workers_share_an_sqlite_file(evening: Evening) -> None:
    """Purchases that come to both at once are all taken, and each is looked up once."""
    services = await evening.open_amc()
    screening = await evening.show(services, 60, "1")
    tell = await TellProcess.start(evening.config(server=ServerSettings(port=0, workers=2)))
    await tell.logged("worker_ready", worker=1)
    bodies = [evening.notice(screening, f"purchase-{number}") for number in range(100)]

    async def post(body: bytes) -> str:
        # A connection for each: so they are spread over both.
        async with (
            aiohttp.ClientSession(tell.url) as session,
            session.post("/tell/purchase", data=body, headers=evening.sign(body)) as answer,
        ):
            assert answer.status == 202, await answer.text()
            return str((await answer.json())["correlation_id"])

    names = await asyncio.gather(*(post(body) for body in bodies))
    assert len(set(names)) == len(bodies)
    for name in names:
        await tell.logged("purchase_enriched", correlation_id=name)
    wire = await Wire(int(tell.url.rpartition(":")[2])).open()
    sums = await metrics_of(wire)
    wire.close()
    assert sums["tell_purchases_accepted_total"] == len(bodies)
    assert sums["tell_purchases_enriched_total"] == len(bodies)
    assert (await tell.stop())[0] == 0
