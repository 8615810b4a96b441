from __future__ import annotations

import asyncio
import re
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text
from structlog.testing import capture_logs

from catalog.errors import (
    DatabaseError,
    IntakeFullError,
    PurchaseConflictError,
    WebhookIdReusedError,
)
from catalog.models import PurchaseState
from catalog.purchases.intake import Intake
from catalog.purchases.notices import PurchaseNotice
from catalog.store.database import Database
from catalog.store.schema import purchase_cancellations
from tests.catalog.samples import EVENING, Clock, accept, notice, purchase_row

# Accepts one purchase, says so, and then waits to be killed.
ACCEPT_AND_WAIT = """
import asyncio, structlog, sys
from datetime import UTC, datetime
from catalog.store.database import Database
from catalog.purchases.intake import Delivery, Intake
from catalog.purchases.notices import PurchaseNotice

structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))

async def main():
    database = await Database.open(sys.argv[1])
    intake = Intake(database, lambda: datetime.now(UTC), commit_rows=50, queue_limit=10)
    await intake.start()
    notice = PurchaseNotice.model_validate_json(sys.argv[2])
    delivery = Delivery("msg-1", "0" * 64)
    print(await intake.accept("prod", notice, delivery), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def count(database: Database) -> int:
    """Purchases that are stored."""
    async with database.read() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM purchases"))).scalar_one())


async def test_an_accepted_purchase_is_stored_verbatim(database: Database, intake: Intake) -> None:
    """When accept returns, the six fields are there, due for enrichment at once."""
    correlation_id = await accept(intake, "prod", notice(), "msg-1")
    assert re.fullmatch(r"[a-z2-7]{20}", correlation_id)
    row = await purchase_row(database, correlation_id)
    stored = {name: getattr(row, name) for name in PurchaseNotice.model_fields}
    assert stored == notice().model_dump()
    assert (row.environment, row.webhook_id) == ("prod", "msg-1")
    assert row.state is PurchaseState.ACCEPTED
    assert (row.accepted_at, row.next_attempt_at, row.attempts) == (EVENING, EVENING, 0)


async def test_the_same_purchase_again_gives_the_same_answer(
    database: Database, intake: Intake
) -> None:
    """Six equal fields are one purchase, however the instant is written and the message named."""
    first = await accept(intake, "prod", notice(), "msg-1")
    same_instant = notice(purchased_at="2026-03-06T20:15:00.000+01:00")
    assert await accept(intake, "prod", same_instant, "msg-2") == first
    assert await count(database) == 1


@pytest.mark.parametrize("commit_rows", [1, 50])
async def test_the_same_purchase_many_times_at_once(
    database: Database, clock: Clock, commit_rows: int
) -> None:
    """Doubles in one batch, and in batches that follow each other, are one purchase."""
    intake = Intake(database, clock, commit_rows=commit_rows, queue_limit=100)
    await intake.start()
    answers = await asyncio.gather(
        *(accept(intake, "prod", notice(), f"msg-{number}") for number in range(20))
    )
    await intake.stop()
    assert len(set(answers)) == 1
    assert await count(database) == 1


async def test_two_intakes_on_one_database_agree(
    database: Database, database_url: str, clock: Clock
) -> None:
    """Two processes that take the same purchase at once give one answer."""
    second = await Database.open(database_url)
    intakes = [Intake(each, clock, commit_rows=3, queue_limit=100) for each in (database, second)]
    for intake in intakes:
        await intake.start()
    answers = await asyncio.gather(
        *(
            accept(intakes[number % 2], "prod", notice(purchase_id=f"p-{number // 2}"))
            for number in range(40)
        )
    )
    for intake in intakes:
        await intake.stop()
    await second.close()
    assert answers[::2] == answers[1::2]
    assert await count(database) == 20


async def test_the_same_purchase_after_a_restart(
    database: Database, intake: Intake, database_url: str, clock: Clock
) -> None:
    """Another process that opens the database later gives the same answer."""
    first = await accept(intake, "prod", notice(), "msg-1")
    await intake.stop()
    await database.close()
    reopened = await Database.open(database_url)
    later = Intake(reopened, clock, commit_rows=50, queue_limit=10)
    await later.start()
    assert await accept(later, "prod", notice(), "msg-1") == first
    await later.stop()
    await reopened.close()


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"movie_id": "the-general"}, ("movie_id",)),
        ({"place_id": "Grand-Lake"}, ("place_id",)),
        ({"auditorium_number": "07"}, ("auditorium_number",)),
        ({"purchased_at": "2026-03-06T11:15:00.000001-08:00"}, ("purchased_at",)),
        (
            {"showtime_id": "st-2", "purchased_at": "2026-03-06T11:16:00-08:00"},
            ("showtime_id", "purchased_at"),
        ),
    ],
)
async def test_a_changed_purchase_is_a_conflict(
    database: Database, intake: Intake, changes: dict[str, Any], fields: tuple[str, ...]
) -> None:
    """The same purchase_id with other fields is refused with their names, and changes nothing."""
    first = await accept(intake, "prod", notice(), "msg-1")
    with pytest.raises(PurchaseConflictError) as refused:
        await accept(intake, "prod", notice(**changes), "msg-2")
    assert refused.value.fields == fields
    assert refused.value.correlation_id == first
    assert await count(database) == 1


async def test_a_conflict_within_one_batch_hits_only_the_later(
    database: Database, intake: Intake
) -> None:
    """Of two that differ the first one wins, and others in the batch are not disturbed."""
    first, changed, other = await asyncio.gather(
        accept(intake, "prod", notice(), "msg-1"),
        accept(intake, "prod", notice(movie_id="the-general"), "msg-2"),
        accept(intake, "prod", notice(purchase_id="p-2"), "msg-3"),
        return_exceptions=True,
    )
    assert isinstance(first, str)
    assert isinstance(changed, PurchaseConflictError)
    assert changed.correlation_id == first
    assert isinstance(other, str)
    assert await count(database) == 2


async def test_environments_are_kept_apart(database: Database, intake: Intake) -> None:
    """The same purchase_id in two environments names two purchases, in one batch and later."""
    production, staging = await asyncio.gather(
        accept(intake, "prod", notice(), "msg-1"), accept(intake, "staging", notice(), "msg-1")
    )
    assert production != staging
    assert await accept(intake, "staging", notice(), "msg-1") == staging
    assert await count(database) == 2


async def test_ids_that_differ_in_case_are_two_purchases(
    database: Database, intake: Intake
) -> None:
    """Partner ids are compared character by character."""
    lower = await accept(intake, "prod", notice(purchase_id="abc"), "msg-1")
    assert await accept(intake, "prod", notice(purchase_id="ABC"), "msg-2") != lower
    assert await count(database) == 2


async def test_many_purchases_share_a_commit(database: Database, clock: Clock) -> None:
    """120 purchases that come together are stored in three transactions of at most 50."""
    commits: list[int] = []
    intake = Intake(
        database,
        clock,
        commit_rows=50,
        queue_limit=1000,
        on_accepted=lambda: commits.append(1),
    )
    await intake.start()
    answers = await asyncio.gather(
        *(accept(intake, "prod", notice(purchase_id=f"p-{n}"), f"msg-{n}") for n in range(120))
    )
    assert len(set(answers)) == 120
    assert len(commits) == 3
    await accept(intake, "prod", notice(purchase_id="p-7"), "msg-7")
    assert len(commits) == 3, "a commit without new purchases wakes nobody"
    await intake.stop()


async def test_a_full_queue_refuses_and_stores_nothing(database: Database, clock: Clock) -> None:
    """Beyond the limit a purchase is refused with a time to come again; those within are kept."""
    intake = Intake(database, clock, commit_rows=2, queue_limit=3)
    await intake.start()
    async with database.write():
        waiting = [
            asyncio.create_task(accept(intake, "prod", notice(purchase_id=f"p-{n}")))
            for n in range(3)
        ]
        # All three stand in the queue before the intake's task has its first turn.
        await asyncio.sleep(0)
        with pytest.raises(IntakeFullError) as refused:
            await accept(intake, "prod", notice(purchase_id="p-3"))
        assert refused.value.retry_after_s >= 1
    assert len(await asyncio.gather(*waiting)) == 3
    await intake.stop()
    assert await count(database) == 3


async def test_a_database_error_reaches_everyone_and_then_all_is_well(
    tmp_path: Path, clock: Clock
) -> None:
    """A commit that fails is a DatabaseError for each who waits; the next commit works."""
    database = await Database.open(f"sqlite:///{tmp_path}/tell.db", busy_timeout_s=0.05)
    intake = Intake(database, clock, commit_rows=2, queue_limit=100)
    await intake.start()
    other = sqlite3.connect(tmp_path / "tell.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    failed = await asyncio.gather(
        *(accept(intake, "prod", notice(purchase_id=f"p-{n}")) for n in range(5)),
        return_exceptions=True,
    )
    assert all(isinstance(each, DatabaseError) for each in failed)
    assert {each.code for each in failed if isinstance(each, DatabaseError)} == {"database-error"}
    assert len({id(each) for each in failed}) == 5
    other.execute("ROLLBACK")
    other.close()
    assert len(await accept(intake, "prod", notice())) == 20
    await intake.stop()
    await database.close()


async def test_stop_answers_all_who_wait(database: Database, clock: Clock) -> None:
    """Whoever was in the queue is answered and stored; whoever comes later is refused."""
    intake = Intake(database, clock, commit_rows=2, queue_limit=100)
    await intake.start()
    waiting = [
        asyncio.create_task(accept(intake, "prod", notice(purchase_id=f"p-{n}"))) for n in range(9)
    ]
    await asyncio.sleep(0)
    await intake.stop()
    assert len(set(await asyncio.gather(*waiting))) == 9
    assert await count(database) == 9
    with pytest.raises(IntakeFullError):
        await accept(intake, "prod", notice(purchase_id="late"))


async def test_stop_with_a_broken_database_leaves_nobody_waiting(
    tmp_path: Path, clock: Clock
) -> None:
    """Where the disk does not answer any more, everyone in the queue hears so, once."""
    database = await Database.open(f"sqlite:///{tmp_path}/tell.db", busy_timeout_s=0.05)
    intake = Intake(database, clock, commit_rows=1, queue_limit=1000)
    await intake.start()
    other = sqlite3.connect(tmp_path / "tell.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = [
        asyncio.create_task(accept(intake, "prod", notice(purchase_id=f"p-{n}")))
        for n in range(1000)
    ]
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await intake.stop()
        results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(each, DatabaseError) for each in results)
    other.close()
    await database.close()


async def test_a_caller_who_leaves_disturbs_nobody(database: Database, clock: Clock) -> None:
    """A cancelled accept may or may not be stored; the others in its batch are answered."""
    intake = Intake(database, clock, commit_rows=50, queue_limit=100)
    await intake.start()
    leaving = asyncio.create_task(accept(intake, "prod", notice(purchase_id="p-0")))
    staying = asyncio.create_task(accept(intake, "prod", notice(purchase_id="p-1")))
    await asyncio.sleep(0)
    leaving.cancel()
    assert len(await staying) == 20
    assert len(await accept(intake, "prod", notice(purchase_id="p-0"))) == 20
    await intake.stop()


async def test_a_bug_leaves_nobody_waiting(database: Database) -> None:
    """When the worker dies, those who wait hear so, later ones are refused; the log says why."""

    def broken() -> Any:
        raise ZeroDivisionError

    intake = Intake(database, broken, commit_rows=1, queue_limit=100)
    await intake.start()
    assert intake.running
    with capture_logs() as logs:
        results = await asyncio.gather(
            *(accept(intake, "prod", notice(purchase_id=f"p-{n}")) for n in range(3)),
            return_exceptions=True,
        )
        await intake.stop()
    assert [type(each["exc_info"]) for each in logs if each["event"] == "worker_failed"] == [
        ZeroDivisionError
    ]
    assert not intake.running
    assert all(isinstance(each, DatabaseError) for each in results)
    with pytest.raises(IntakeFullError):
        await accept(intake, "prod", notice())
    assert await count(database) == 0


async def test_an_answered_purchase_survives_kill_9(tmp_path: Path, database_url: str) -> None:
    """A process killed directly after accept returned leaves the purchase to the next one."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        ACCEPT_AND_WAIT,
        database_url,
        notice().model_dump_json(),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        correlation_id = (await process.stdout.readline()).decode().strip()
        process.kill()
        await process.wait()
    database = await Database.open(database_url)
    row = await purchase_row(database, correlation_id)
    assert row.purchase_id == "p-1"
    assert row.state is PurchaseState.ACCEPTED
    await database.close()


async def test_a_webhook_id_belongs_to_one_message(database: Database, intake: Intake) -> None:
    """With another body it is refused, in one batch and later, and nobody else is disturbed."""
    first, reused, other = await asyncio.gather(
        accept(intake, "prod", notice(), "msg-1"),
        accept(intake, "prod", notice(purchase_id="p-2"), "msg-1"),
        accept(intake, "prod", notice(purchase_id="p-3"), "msg-3"),
        return_exceptions=True,
    )
    assert isinstance(first, str)
    assert isinstance(reused, WebhookIdReusedError)
    assert isinstance(other, str)
    with pytest.raises(WebhookIdReusedError, match="msg-1"):
        await accept(intake, "prod", notice(purchase_id="p-4"), "msg-1")
    assert await accept(intake, "prod", notice(), "msg-1") == first, "a replay changes nothing"
    assert await accept(intake, "staging", notice(purchase_id="p-5"), "msg-1"), "another sender"
    assert await count(database) == 3


async def test_a_cancellation_that_overtook_its_purchase_holds(
    database: Database, intake: Intake, clock: Clock
) -> None:
    """The purchase is accepted, and cancelled from the start; others are not touched."""
    async with database.write() as connection:
        await connection.execute(
            insert(purchase_cancellations).values(
                environment="prod", purchase_id="p-1", cancelled_at=clock()
            )
        )
    row = await purchase_row(database, await accept(intake, "prod", notice()))
    assert (row.state, row.cancelled_at) == (PurchaseState.CANCELLED, EVENING)
    for sold in (notice(purchase_id="p-2"), notice(purchase_id="p-1")):
        environment = "staging" if sold.purchase_id == "p-1" else "prod"
        row = await purchase_row(database, await accept(intake, environment, sold))
        assert (row.state, row.cancelled_at) == (PurchaseState.ACCEPTED, None)
