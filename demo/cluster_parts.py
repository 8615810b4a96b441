"""A cluster of Tell on loopback: two replicas, MariaDB, Redis, an S3 server and nginx, all real.

Before the S3 server stands a front that passes everything on until it is told to fail.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from demo.services import (
    DemoError,
    Service,
    free_port,
    mariadb,
    program,
    redis,
    start_service,
)
from demo.services.mariadb import MariaServer, running_mariadb
from demo.services.nginx import Nginx, nginx_program, running_nginx
from demo.services.redis import RedisServer, running_redis
from demo.services.s3 import CREDENTIALS, S3Server, s3_server
from demo.services.s3_front import Front, s3_front
from demo.steps import ENVIRONMENT, MOVIE_ID, TITLE, make_secrets, make_track, started
from media.errors import ObjectNotFoundError, StorageError
from media.track import current_key

REPLICAS = ("first", "second")
# What one request of the bucket may take: long enough for a busy machine, short enough to wait for.
S3_TIMEOUT_S = 5.0
_BUCKET, _PREFIX = "films", "tell"
_FOUND_WITHIN_S = 60.0
_PUBLISH_TIMEOUT_S = 60.0
T = TypeVar("T")


@dataclass
class Cluster:
    """What runs. `environ` is that of each program of ours; replicas are killed and started.

    The replicas see the S3 server through `s3_front`, which can refuse and stall.
    """

    folder: Path
    environ: dict[str, str]
    mariadb: MariaServer
    redis: RedisServer
    s3: S3Server
    s3_front: Front
    nginx: Nginx
    amc: Service
    ports: dict[str, int]
    replicas: dict[str, Service] = field(default_factory=dict)

    async def start(self, name: str) -> None:
        """Start a replica that does not run; raises DemoError."""
        command = [program("tell"), "serve", "--port", str(self.ports[name])]
        log = self.folder / f"tell-{name}.log"
        self.replicas[name] = await start_service(f"Tell ({name})", command, log, self.environ)

    async def kill(self, name: str) -> None:
        """SIGKILL: it says good-bye to nobody."""
        process = self.replicas.pop(name).process
        process.kill()
        await process.wait()

    def forget(self, sha256: str) -> None:
        """Take a rendition out of the replicas' cache, as if this machine had never fetched it."""
        self.kept(sha256).unlink(missing_ok=True)

    def kept(self, sha256: str) -> Path:
        """Where the replicas keep a rendition once it came whole."""
        return self.folder / "cache" / f"{sha256}.mp4"

    async def stop(self) -> None:
        """End the replicas that run."""
        await asyncio.gather(*(each.stop() for each in self.replicas.values()))


def missing_for_cluster() -> str | None:
    """What this machine lacks, as a person reads it; None when nothing."""
    programs = {
        mariadb.PROGRAM: "mariadb-server-core",
        mariadb.INSTALLER: "mariadb-server-core",
        redis.PROGRAM: "redis-server",
    }
    missing = {package for program, package in programs.items() if shutil.which(program) is None}
    try:
        nginx_program()
    except DemoError:
        missing.add("nginx-light")
    if not missing:
        return None
    return f"not installed: {', '.join(sorted(missing))} (apt-get install)"


@asynccontextmanager
async def running_cluster(folder: Path) -> AsyncIterator[Cluster]:
    """Start everything, with the demo's track in S3; raises DemoError.

    The keys and the bucket in *folder* stay for the next time, the databases do not.
    """
    folder = await asyncio.to_thread(folder.absolute)
    folder.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        database = await _enter(stack, "MariaDB", running_mariadb())
        limits = await _enter(stack, "Redis", running_redis())
        s3 = await _enter(stack, "S3 (SeaweedFS)", s3_server(folder / "s3"))
        front, endpoint = await stack.enter_async_context(s3_front(s3.endpoint))
        ports = {name: free_port() for name in REPLICAS}
        nginx = await stack.enter_async_context(
            running_nginx(
                "replicas.conf",
                folder / "nginx",
                {name: f"127.0.0.1:{port}" for name, port in ports.items()},
            )
        )
        print(f"nginx listens on {nginx.url} (log: {nginx.access_log})", flush=True)
        amc_port = free_port()
        config = folder / "config.toml"
        config.write_text(
            _config(
                nginx=nginx.url,
                amc=f"http://127.0.0.1:{amc_port}",
                secrets=str(folder / "secrets"),
                database=await database.fresh_database("tell"),
                redis=limits.url,
                s3=endpoint,
                cache=str(folder / "cache"),
            )
        )
        environ = {**CREDENTIALS, "TELL_CONFIG": str(config)}
        await make_secrets(folder, ENVIRONMENT, environ)
        if await _is_published(s3):
            print(f"The track of {TITLE} is in the bucket already.", flush=True)
        else:
            # By the server itself, which has more time for a whole file.
            more = s3.environ(TELL_MEDIA__S3__TIMEOUT_S=f"{_PUBLISH_TIMEOUT_S:g}")
            await make_track(folder, {**environ, **more})
        # Yesterday's showings would only confuse.
        for old in folder.glob("amc.db*"):
            old.unlink()
        command = [
            *(program("amc-clone"), "serve", "--seed", "--port", str(amc_port)),
            *("--database", str(folder / "amc.db"), "--tell-url", nginx.url),
            *("--key-id", ENVIRONMENT),
            *("--secret-file", str(folder / "secrets" / f"webhook-{ENVIRONMENT}.keys")),
        ]
        amc = await started(stack, "AMC-clone", command, folder / "amc.log")
        cluster = Cluster(folder, environ, database, limits, s3, front, nginx, amc, ports)
        stack.push_async_callback(cluster.stop)
        for name in REPLICAS:
            await cluster.start(name)
            replica = cluster.replicas[name]
            print(f"{replica.name} listens on {replica.url} (log: {replica.log})", flush=True)
        yield cluster


async def _enter(
    stack: AsyncExitStack, name: str, service: contextlib.AbstractContextManager[T]
) -> T:
    """Start a service whose start blocks; it ends with *stack*."""
    running = await asyncio.to_thread(service.__enter__)
    stack.push(service.__exit__)
    print(f"{name} runs.", flush=True)
    return running


async def _is_published(s3: S3Server) -> bool:
    """Whether the track lies in the bucket from the last time; raises StorageError."""
    give_up = time.monotonic() + _FOUND_WITHIN_S
    while True:
        try:
            await s3.storage(_BUCKET, _PREFIX).read(current_key(MOVIE_ID, "en"))
        except ObjectNotFoundError:
            return False
        except StorageError:
            # It answers before it has found again what it keeps.
            if time.monotonic() >= give_up:
                raise
            await asyncio.sleep(0.5)
        else:
            return True


def _config(
    *, nginx: str, amc: str, secrets: str, database: str, redis: str, s3: str, cache: str
) -> str:
    """What both replicas and the packager read: what a replica needs beside its defaults."""
    sections: dict[str, dict[str, str | float | list[str]]] = {
        # Each replica gets its port by --port.
        "server": {"public_url": nginx, "trusted_proxies": ["127.0.0.1"]},
        "secrets": {"dir": secrets},
        "database": {"url": database},
        "media": {"root": f"s3://{_BUCKET}/{_PREFIX}"},
        "media.s3": {"endpoint": s3, "timeout_s": S3_TIMEOUT_S},
        # One machine: what one of them fetched the other has too.
        "media.cache": {"dir": cache},
        "limits": {"redis_url": redis},
        "enrichment": {"cache_url": redis},
        f"partners.{ENVIRONMENT}": {"base_url": amc, "key_id": ENVIRONMENT},
    }
    lines = []
    for name, section in sections.items():
        # Texts, numbers and lists of texts are written alike in JSON and TOML.
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in section.items())]
    return "\n".join(lines) + "\n"
