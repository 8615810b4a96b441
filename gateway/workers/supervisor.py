"""The supervisor: it holds the port, starts the workers, and starts another where one died.

It reads no request, so that next to nothing can end it. A worker is this program again, with a
place of its own: one that is started later reads the settings of then, and is the version that is
installed then.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import structlog

from catalog.workers import spawn
from gateway.errors import WorkersError
from gateway.server import address_of
from gateway.settings import GatewaySettings
from gateway.workers.child import Child, Place
from gateway.workers.control import Orders
from gateway.workers.notify import Notifier
from gateway.workers.restarts import Restarts
from gateway.workers.sockets import bind_all
from gateway.workers.team_metrics import forget_gauges

log = structlog.get_logger(__name__)

# A worker whose loop did not turn for so long answers nobody.
_SILENT_S = 60.0
# One that migrates a large database takes its time.
_START_S = 600.0
# What a worker needs beyond the time that its settings give it.
GRACE_S = 10.0
_LOOK_EVERY_S = 1.0
# A worker that is replaced may have two before it that still see their listeners out.
_NAMES = "abcd"


class _Slot:
    """A worker's place: its number, who serves in it, and who served in it before."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.restarts = Restarts()
        # Who answers; None while nobody does.
        self.child: Child | None = None
        # Every process of this place that lives.
        self.living: set[Child] = set()
        # Something changed here.
        self.news = asyncio.Event()
        # One new worker at a time.
        self.starting = asyncio.Lock()


class Supervisor:
    """Runs *settings.server.workers* workers, each by *command* and what `Place` adds to it."""

    def __init__(
        self,
        settings: GatewaySettings,
        command: Sequence[str],
        environ: Mapping[str, str],
        announce: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._command = command
        self._environ = environ
        self._announce = announce
        self._notifier = Notifier(environ)
        self._slots = [_Slot(number) for number in range(settings.server.workers)]
        self._sockets: list[socket.socket] = []
        self._address = ""
        self._folder = Path()
        self._stop = asyncio.Event()
        self._reload = asyncio.Event()
        self._first = asyncio.Event()
        self._hopeless = asyncio.Event()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT; SIGHUP replaces the workers, one after the other.

        Raises ListenError, and WorkersError where the workers die at once again and again.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)
        server = self._settings.server
        self._sockets = bind_all(server, len(self._slots))
        self._address = address_of(self._sockets[0])
        with tempfile.TemporaryDirectory(prefix="tell-workers-") as folder:
            self._folder = Path(folder)
            tasks = [
                spawn(self._keep(self._slots[0]), "worker 0"),
                *(
                    spawn(self._keep_after_first(slot), f"worker {slot.number}")
                    for slot in self._slots[1:]
                ),
                spawn(self._watch(), "watch"),
                spawn(self._replace_when_told(), "rolling restart"),
            ]
            try:
                await self._until_the_end()
            finally:
                self._notifier.stopping()
                for each in self._sockets:
                    each.close()
                self._stop.set()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await self._end_all()
        if self._hopeless.is_set():
            raise WorkersError(max(slot.restarts.early_deaths for slot in self._slots))

    async def _until_the_end(self) -> None:
        waits = [asyncio.ensure_future(each.wait()) for each in (self._stop, self._hopeless)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self._stop.is_set():
            log.info("stopping", drain_s=self._settings.server.drain_s)

    async def _keep_after_first(self, slot: _Slot) -> None:
        """The first is alone at first: it migrates the database, and finds out what is wrong."""
        await self._first.wait()
        await self._keep(slot)

    async def _keep(self, slot: _Slot) -> None:
        """Have a worker in this place, for ever."""
        while True:
            if slot.child is None:
                await asyncio.sleep(slot.restarts.pause_s)
                await self._fill(slot)
                continue
            await slot.news.wait()
            slot.news.clear()
            child = slot.child
            if child.ended:
                log.error(
                    "worker_died", worker=slot.number, pid=child.pid, exit_code=child.exit_code
                )
                slot.child = None
                self._died(slot, child.lived_s)

    async def _fill(self, slot: _Slot) -> None:
        async with slot.starting:
            if slot.child is not None:
                # A rolling restart was quicker.
                return
            child = await self._start(slot)
            if child is None:
                self._died(slot, 0.0)
            else:
                self._serve(slot, child)

    async def _start(self, slot: _Slot) -> Child | None:
        """A new worker that is ready; None where it ended before it was."""
        taken = {child.name for child in slot.living}
        name = next(name for letter in _NAMES if (name := f"{slot.number}{letter}") not in taken)
        place = Place(
            slot=slot.number,
            name=name,
            public_url=self._public_url,
            listeners=self._sockets,
            metrics_folder=self._folder,
        )
        try:
            child = await Child.start(self._command, self._environ, place)
        except OSError as error:
            log.error("worker_not_started", worker=slot.number, error=error.strerror)  # noqa: TRY400  (its words are all that there is to say)
            return None
        slot.living.add(child)
        child.on_end = lambda: self._gone(slot, child)
        log.info("worker_started", worker=slot.number, pid=child.pid)
        try:
            async with asyncio.timeout(_START_S):
                ready = await child.is_ready()
        except TimeoutError:
            log.error("worker_not_ready", worker=slot.number, pid=child.pid, waited_s=_START_S)  # noqa: TRY400  (the time-out is all that there is to say)
            child.kill()
            await child.wait()
            return None
        if ready:
            return child
        code = await child.wait()
        log.error("worker_died_at_start", worker=slot.number, pid=child.pid, exit_code=code)
        return None

    @property
    def _public_url(self) -> str:
        server = self._settings.server
        return server.public_url if server.public_url and server.port else self._address

    def _serve(self, slot: _Slot, child: Child) -> None:
        """From now on *child* answers in this place."""
        slot.child = child
        # Perhaps it has died meanwhile.
        slot.news.set()
        self._order_all()
        log.info("worker_ready", worker=slot.number, pid=child.pid, running=len(self._team()))
        if not self._first.is_set():
            self._first.set()
            self._announce(self._address)
            self._notifier.ready()
            log.info("listening", address=self._address, public_url=self._public_url)

    def _gone(self, slot: _Slot, child: Child) -> None:
        """A process of this place has ended."""
        slot.living.discard(child)
        forget_gauges(self._folder, child.name)
        slot.news.set()

    def _died(self, slot: _Slot, lived_s: float) -> None:
        slot.restarts.died(lived_s)
        self._order_all()
        # As long as one answers, the others may come back.
        if slot.restarts.hopeless and not self._team():
            self._hopeless.set()
        elif slot.restarts.pause_s:
            log.warning("worker_waits", worker=slot.number, pause_s=slot.restarts.pause_s)

    def _team(self) -> dict[int, int]:
        """Process ids of those who answer, by slot."""
        return {
            slot.number: slot.child.pid
            for slot in self._slots
            if slot.child is not None and not slot.child.ended
        }

    def _order_all(self) -> None:
        """Each takes the connections of its own slot, and all those of a slot where nobody is."""
        team, size = self._team(), len(self._slots)
        orphans = [number for number in range(size) if number not in team]
        for slot in self._slots:
            if slot.child is not None:
                accept = [slot.number, *orphans]
                slot.child.order(Orders(accept=accept, team=team, size=size))
        self._notifier.status(f"{len(team)} of {size} workers answer at {self._address}")

    async def _watch(self) -> None:
        """Give systemd its signs of life, and end workers that give none."""
        while True:
            for slot in self._slots:
                child = slot.child
                if child is not None and not child.ended and child.silent_s > _SILENT_S:
                    log.error("worker_hangs", worker=slot.number, pid=child.pid)
                    child.kill()
            if self._notifier.watchdog_s is not None and (self._team() or not self._first.is_set()):
                self._notifier.alive()
            await asyncio.sleep(min(_LOOK_EVERY_S, self._notifier.watchdog_s or _LOOK_EVERY_S))

    async def _replace_when_told(self) -> None:
        while True:
            await self._reload.wait()
            self._reload.clear()
            self._notifier.reloading()
            log.info("replacing_workers")
            if await self._replace_all():
                log.info("workers_replaced")
            else:
                log.error("workers_not_replaced", kept="those of before")
            self._notifier.ready()

    async def _replace_all(self) -> bool:
        """Put a new worker beside each, then let the old one go; whether all were replaced.

        The first that does not get ready ends it: the settings or the new version are wrong, and
        those of before go on.
        """
        for slot in self._slots:
            async with slot.starting:
                old = slot.child
                if old is None:
                    # Dead at this moment: whoever comes will be new.
                    continue
                child = await self._start(slot)
                if child is None:
                    return False
                self._serve(slot, child)
            if not old.ended:
                old.order(Orders(accept=[], team=self._team(), size=len(self._slots), retire=True))
                server = self._settings.server
                await self._ended(old, server.hand_over_s + server.longest_drain_s)
        return True

    async def _ended(self, child: Child, limit_s: float) -> None:
        """Wait for its end, and make it where it does not come."""
        try:
            async with asyncio.timeout(limit_s + GRACE_S):
                await child.wait()
        except TimeoutError:
            log.warning("worker_killed", pid=child.pid, waited_s=limit_s + GRACE_S)
            child.kill()
            await child.wait()

    async def _end_all(self) -> None:
        """Let every worker finish what it sends, and end those who take too long."""
        living = [child for slot in self._slots for child in slot.living]
        for child in living:
            child.terminate()
        limit_s = self._settings.server.longest_drain_s
        await asyncio.gather(*(self._ended(child, limit_s) for child in living))


def own_command(arguments: Sequence[str], full: Sequence[str], executable: str) -> list[str]:
    """How this process was started, without *arguments*: `sys.argv[1:]` of `sys.orig_argv`."""
    return [executable, *full[1 : len(full) - len(arguments)]]
