"""Which purchase an operator means: by its correlation id, or by the partner's purchase_id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.errors import PurchaseAmbiguousError, PurchaseNotFoundError
from catalog.store.schema import purchases


async def named_purchases(
    connection: AsyncConnection,
    wanted: str,
    environment: str | None,
    *columns: ColumnElement[Any],
) -> Sequence[Row[Any]]:
    """*columns* of the purchase that *wanted* names, locked; of *environment* where one is given.

    A purchase_id is a partner's own, so another environment may use the same for somebody else's
    ticket. Raises PurchaseNotFoundError, and PurchaseAmbiguousError rather than take both.
    """
    query = (
        select(purchases.c.environment, *columns)
        .where(or_(purchases.c.correlation_id == wanted, purchases.c.purchase_id == wanted))
        .with_for_update()
    )
    if environment is not None:
        query = query.where(purchases.c.environment == environment)
    found = (await connection.execute(query)).all()
    if not found:
        raise PurchaseNotFoundError(wanted)
    if len(environments := sorted({row.environment for row in found})) > 1:
        raise PurchaseAmbiguousError(wanted, environments)
    return found
