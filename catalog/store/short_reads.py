"""Short reads of an SQLite file: those that wait at the same time go to the thread together.

To go there and back costs more than such a read does, most of all where loop and thread have a
processor each and pass Python's lock to and fro.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from sqlalchemy import Engine, Row, Select
from sqlalchemy.exc import SQLAlchemyError

Rows = Sequence[Row[Any]]


class _Asked(NamedTuple):
    """A query, its parameters, and who waits for its rows."""

    query: Select[Any]
    parameters: Mapping[str, Any] | None
    answer: asyncio.Future[Rows]


class ShortReads:
    """Reads by *engine*, whose connections begin no transaction of their own, in one thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread = ThreadPoolExecutor(1, "sqlite")
        self._waiting: list[_Asked] = []
        self._busy = False

    async def rows(self, query: Select[Any], parameters: Mapping[str, Any] | None) -> Rows:
        """All rows of one query, which begins after this was called; raises DBAPIError."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Rows] = loop.create_future()
        self._waiting.append(_Asked(query, parameters, answer))
        if not self._busy:
            self._busy = True
            # Others of this turn of the loop may ask, too.
            loop.call_soon(self._begin, loop)
        return await answer

    async def close(self) -> None:
        """End after what is being read."""
        self._thread.shutdown(wait=False)
        await asyncio.to_thread(self._engine.dispose)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Go to the thread with all that wait and have not gone away."""
        asked = [each for each in self._waiting if not each.answer.done()]
        self._waiting = []
        if not asked:
            self._busy = False
            return
        try:
            reading = loop.run_in_executor(self._thread, self._read, asked)
        except RuntimeError as error:
            # It was closed meanwhile.
            self._busy = False
            for each in asked:
                each.answer.set_exception(error)
            return
        reading.add_done_callback(lambda done: self._tell(loop, asked, done))

    def _read(self, asked: Sequence[_Asked]) -> list[Rows | SQLAlchemyError]:
        """In the thread: each by itself, so that an error is told to its own asker alone."""
        found: list[Rows | SQLAlchemyError] = []
        for each in asked:
            try:
                with self._engine.connect() as connection:
                    found.append(connection.execute(each.query, each.parameters).all())
            except SQLAlchemyError as error:
                found.append(error)
        return found

    def _tell(
        self,
        loop: asyncio.AbstractEventLoop,
        asked: Sequence[_Asked],
        done: asyncio.Future[list[Rows | SQLAlchemyError]],
    ) -> None:
        """Tell each what came, and go again for those that came meanwhile."""
        self._begin(loop)
        failed = asyncio.CancelledError() if done.cancelled() else done.exception()
        for number, each in enumerate(asked):
            if each.answer.done():
                continue
            came = failed if failed is not None else done.result()[number]
            if isinstance(came, BaseException):
                each.answer.set_exception(came)
            else:
                each.answer.set_result(came)
