"""Background tasks: one that dies of a bug must say so at once, not when someone awaits it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger()


def spawn(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Run *work* as a task called *name*; an error that ends it is logged with its traceback."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_report)
    return task


def is_alive(task: asyncio.Task[None] | None) -> bool:
    """Whether a worker is at work: False before its start, after its end, and after a bug."""
    return task is not None and not task.done()


async def ended(task: asyncio.Task[None] | None) -> None:
    """Wait for the end of a worker that was told to end, or died long ago: that was reported."""
    if task is not None:
        await asyncio.wait([task])


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("worker_failed", worker=task.get_name(), exc_info=error)
