"""The media keys of a running gateway: the file is looked at again and again.

So a key that was added is known, one that was switched to signs, and one that was dropped opens
nothing, without a restart and on each replica that sees the file or gets a copy of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from catalog.workers import ended, is_alive, spawn
from gateway.errors import SecretsError
from gateway.media_keys import media_ring, read_media_keys
from gateway.secrets import check_private
from media.tokens import Keyring, SigningKeyError

log = structlog.get_logger(__name__)

# The longest until a changed file is known; `tell keys rotate media` waits twice as long.
LOOK_EVERY_S = 2.0
_State = tuple[int, int, int]


class LiveMediaKeys:
    """Hands each new ring of the file at *path* to *use*, beside the keys of *signing*.

    A file that cannot be read changes nothing: the keys of before go on.
    """

    def __init__(
        self,
        path: Path,
        signing: Keyring,
        use: Callable[[Keyring], None],
        *,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._path = path
        self._signing = signing
        self._use = use
        self._look_every_s = look_every_s
        self._seen: _State | None = None
        self._stopping = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether the worker is at work: False before start, after stop, and after a bug."""
        return is_alive(self._worker)

    async def start(self) -> None:
        """Look at the file, and begin to look again and again."""
        await self.look()
        self._worker = spawn(self._run(), "media keys")

    async def stop(self) -> None:
        """End."""
        self._stopping.set()
        await ended(self._worker)

    async def look(self) -> None:
        """Take up what has changed since the last look."""
        state = await asyncio.to_thread(_state, self._path)
        if state is None or state == self._seen:
            return
        # Noted first: one that cannot be read is told of once.
        self._seen = state
        ring = await asyncio.to_thread(self._read)
        if isinstance(ring, str):
            log.error("media_keys_not_read", error=ring)
            return
        self._use(ring)
        log.info("media_keys", keys=list(ring.key_ids), signs=ring.current)

    def _read(self) -> Keyring | str:
        """The ring, or what is wrong with the file."""
        try:
            check_private(self._path, mend="make it with `tell keys rotate media`")
            return media_ring(self._signing, read_media_keys(self._path))
        except (SecretsError, SigningKeyError) as error:
            return str(error)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_every_s):
                    await self._stopping.wait()
                    return
            await self.look()


def _state(path: Path) -> _State | None:
    """What differs as soon as the file is another one; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
