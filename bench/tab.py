"""A tab of a real Chromium that can be hidden, for what a browser does to pages out of sight.

Playwright keeps every page in focus, so that none is ever hidden: here the browser is spoken to
directly (Chrome DevTools Protocol), with the few commands that are needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from demo.browser import ARGUMENTS, executable
from demo.sound import SoundCard

_READY = re.compile(rb"listening on (ws://\S+)")
_START_S = 20.0
_POLL_S = 0.05


class Tab:
    """One tab; another one lies beside it and can be brought to the front."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, group: int) -> None:
        self._socket = socket
        self._group = group
        self._count = 0
        self._session: str | None = None
        self._other = ""

    async def open(self) -> None:
        """Make the two tabs, this one in front."""
        made = await self._send("Target.createTarget", url="about:blank")
        self._other = made["targetId"]
        made = await self._send("Target.createTarget", url="about:blank")
        attached = await self._send(
            "Target.attachToTarget", targetId=made["targetId"], flatten=True
        )
        self._session = attached["sessionId"]

    async def go(self, url: str, script: str) -> None:
        """Load *url*, with *script* run before the page's own."""
        await self._send("Page.enable")
        await self._send("Page.addScriptToEvaluateOnNewDocument", source=script)
        await self._send("Page.navigate", url=url)

    async def evaluate(self, expression: str) -> Any:
        """Value of *expression* in the page, run as by a gesture of the user."""
        answer = await self._send(
            "Runtime.evaluate",
            expression=expression,
            userGesture=True,
            awaitPromise=True,
            returnByValue=True,
        )
        return answer["result"].get("value")

    async def until(self, expression: str, patience_s: float = 20.0) -> None:
        """Wait until *expression* is true; raises TimeoutError."""
        async with asyncio.timeout(patience_s):
            while not await self.evaluate(expression):  # noqa: ASYNC110  (it is in another process)
                await asyncio.sleep(_POLL_S)

    async def hide(self) -> None:
        """Bring the other tab to the front."""
        await self._send("Target.activateTarget", to_browser=True, targetId=self._other)
        await self.until("document.visibilityState === 'hidden'")

    def sleep(self) -> None:
        """Stop all of the browser's processes where they are; `wake` lets them go on."""
        os.killpg(self._group, signal.SIGSTOP)

    def wake(self) -> None:
        """Let them go on."""
        os.killpg(self._group, signal.SIGCONT)

    async def _send(self, method: str, *, to_browser: bool = False, **params: Any) -> Any:
        self._count += 1
        number = self._count
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self._session is not None and not to_browser:
            message["sessionId"] = self._session
        await self._socket.send_json(message)
        while True:
            answer = await self._socket.receive_json()
            if answer.get("id") == number:
                return answer["result"]


@asynccontextmanager
async def tab(card: SoundCard) -> AsyncIterator[Tab]:
    """Start Chromium with a profile of its own, playing into *card*; yields a tab in front."""
    program = executable()
    assert program is not None, "no Chromium on this machine"
    with tempfile.TemporaryDirectory(prefix="tell-tab-", ignore_cleanup_errors=True) as profile:
        # Chromium's sandbox refuses to run as root.
        as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
        process = await asyncio.create_subprocess_exec(
            program, "--headless=new", "--remote-debugging-port=0",
            f"--user-data-dir={profile}", *as_root, *ARGUMENTS, "about:blank",
            env=card.environment, stderr=asyncio.subprocess.PIPE,
            # A group of its own, so that all of it can be put to sleep.
            start_new_session=True,
        )  # fmt: skip
        try:
            address = await _address(process)
            draining = asyncio.create_task(_drain(process))
            async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
                made = Tab(socket, process.pid)
                await made.open()
                yield made
            draining.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await draining
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async with asyncio.timeout(_START_S):
        async for line in process.stderr:
            if found := _READY.search(line):
                return found.group(1).decode()
    raise EOFError("Chromium ended before it said where it listens")


async def _drain(process: asyncio.subprocess.Process) -> None:
    """What it says is not read, and must not fill the pipe."""
    assert process.stderr is not None
    while await process.stderr.read(1 << 16):
        pass
