"""What the tests of the enrichment share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.enrichment.enricher import Enrichment, Partner
from catalog.models import PurchaseState
from catalog.purchases.intake import Intake
from catalog.store.database import Database
from tests.catalog.samples import (
    Clock,
    accept,
    notice,
    purchase_row,
)


def worker(
    database: Database, clock: Clock, partners: Mapping[str, Partner], **options: Any
) -> Enrichment:
    """An enrichment that does not run yet."""
    return Enrichment(
        database,
        partners,
        clock,
        **{
            "retry_first_s": 10,
            "retry_max_s": 300,
            "concurrency": 4,
            "fraction": lambda: 1.0,
            **options,
        },
    )


async def sell(intake: Intake, number: int = 1, **changes: Any) -> str:
    """Correlation id of a purchase with a purchase_id of its own."""
    return await accept(
        intake, "prod", notice(purchase_id=f"p-{number}", **changes), f"msg-{number}"
    )


async def state(database: Database, correlation_id: str) -> tuple[PurchaseState, str | None]:
    """State and failure code as stored."""
    row = await purchase_row(database, correlation_id)
    return row.state, row.failure_code
