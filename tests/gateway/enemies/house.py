"""A Tell that is attacked: a process of its own on an evening that was prepared once."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.settings import (
    DatabaseSettings,
    GatewaySettings,
    PartnerSettings,
    SecretsSettings,
    ServerSettings,
)
from media.settings import MediaSettings
from media.track import Track, current_key, dump_track
from tests.gateway.processes import PATIENCE_S, ROOT, TellProcess, write_config
from tests.gateway.test_server import Evening

# Far more than the buffers of two sockets hold; what is behind the sound is not on any disk.
LARGE_BYTES = 24_000_000
_NOWHERE = "http://127.0.0.1:9"
# Runs a program that has so many file descriptors and cannot get more.
_LIMITED = (
    "import os, resource, sys\n"
    "resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]),) * 2)\n"
    "os.execv(sys.argv[2], sys.argv[2:])\n"
)


async def prepare(folder: Path, media_root: Path, track: Track, chain: Path) -> None:
    """Fill *folder*: tracks with one large file, keys, a database with a ticket, and what opens it.

    The film began a minute ago by the real clock.
    """
    media = folder / "media"
    shutil.copytree(media_root / track.prefix, media / track.prefix)
    small, large = track.rendition("aac-32k"), track.rendition("aac-64k")
    assert small is not None
    assert large is not None
    os.truncate(media / track.prefix / large.file_name, LARGE_BYTES)
    large = large.model_copy(update={"size_bytes": LARGE_BYTES})
    changed = track.model_copy(update={"renditions": (small, large)})
    (media / track.prefix / "track.json").write_bytes(dump_track(changed))
    current = current_key(track.movie_id, track.language)
    shutil.copy(media_root / current, media / current)
    evening = Evening(folder, media, chain)
    try:
        services = await evening.open_amc()
        screening = await evening.show(services, 60, "1")
        tell = await TellProcess.start(evening.config())
        listener, path, grant = await evening.sell(services, screening, tell)
        told = {
            "listener": listener,
            "grant": path,
            "notice": json.loads(evening.notice(screening, "another")),
            "files": {each["rendition"]: each["url"] for each in grant["downloads"]},
        }
        (folder / "told.json").write_text(json.dumps(told))
        await tell.stop()
    finally:
        await evening.close()


class House:
    """A running `tell serve`; `folder` holds its database, keys and tracks.

    `listener` is a bearer, `grant` the path at which it has a grant, `files` the signed paths of
    the renditions, of which aac-64k is the large one; `notice` has the fields of a purchase.
    """

    def __init__(self, folder: Path, media: Path, process: subprocess.Popen[str]) -> None:
        told = json.loads((folder / "told.json").read_text())
        self.folder = folder
        self.media = media
        self.listener: str = told["listener"]
        self.grant: str = told["grant"]
        self.notice: Mapping[str, str] = told["notice"]
        self.files: Mapping[str, str] = told["files"]
        self.process = process
        self.log: list[str] = []
        self._grown = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("Tell listens on http://"):
            self.stop()
            raise AssertionError(f"{line!r} {''.join(self.log)}")
        self.port = int(line.strip().rpartition(":")[2])

    @classmethod
    def start(
        cls,
        folder: Path,
        media: Path,
        *,
        database: Path | None = None,
        descriptors: int | None = None,
        within: Sequence[str] = (),
        **server: Any,
    ) -> House:
        """Start it with so many file descriptors and keys of [server], by the command *within*.

        Its *database* is the one of *folder*, where none is named.
        """
        settings = GatewaySettings(
            server=ServerSettings(port=0, **server),
            secrets=SecretsSettings(dir=str(folder / "secrets")),
            database=DatabaseSettings(url=f"sqlite:///{database or folder / 'tell.db'}"),
            media=MediaSettings(root=str(media)),
            partners={"local": PartnerSettings(base_url=_NOWHERE, key_id="local")},
        )
        config = write_config(folder / "config.toml", settings)
        program = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(config)]
        if descriptors is not None:
            program = [sys.executable, "-c", _LIMITED, str(descriptors), *program]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TELL_")}
        process = subprocess.Popen(
            [*within, *program],
            cwd=ROOT,
            env=clean,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return cls(folder, media, process)

    def stop(self) -> int:
        """SIGTERM, and wait; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        self._reader.join()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        return code

    def end(self) -> None:
        """Stop it; it ends well, and has logged no error that nobody foresaw."""
        assert self.stop() == 0
        faults = [line for line in self.log if "Traceback" in line]
        assert not faults, faults[:2]

    def published(self, rendition: str) -> bytes:
        """The bytes of a file, as they lie in the storage."""
        (file,) = self.media.rglob(f"{rendition}.mp4")
        return file.read_bytes()

    def logged(self, event: str) -> list[dict[str, Any]]:
        """All records of *event* up to now."""
        records = (json.loads(line) for line in list(self.log) if line.startswith("{"))
        return [record for record in records if record.get("event") == event]

    async def said(self, event: str, **fields: Any) -> dict[str, Any]:
        """The first record of *event* with these fields, waiting for it to come."""

        def found() -> dict[str, Any] | None:
            every = self.logged(event)
            return next((each for each in every if fields.items() <= each.items()), None)

        def wait() -> dict[str, Any]:
            with self._grown:
                assert self._grown.wait_for(lambda: found() is not None, PATIENCE_S), event
            record = found()
            assert record is not None
            return record

        return await asyncio.to_thread(wait)

    def forget_peak(self) -> int:
        """Begin a new peak of its resident memory (proc(5), clear_refs); the memory of now."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return self._memory("VmRSS")

    def peak_bytes(self) -> int:
        """The most resident memory since then."""
        return self._memory("VmHWM")

    def _memory(self, name: str) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith(f"{name}:"))
        return int(line.split()[1]) * 1024

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._grown:
                self.log.append(line)
                self._grown.notify_all()
