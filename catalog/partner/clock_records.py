"""What is known of the partners' clocks, as the database keeps it for all replicas."""

from __future__ import annotations

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.partner.clock import Before, PartnerClock
from catalog.store.schema import partner_clocks


async def read_clock(
    connection: AsyncConnection, environment: str, *, lock: bool = False
) -> PartnerClock | None:
    """The clock of *environment*; None where it was never measured.

    With *lock* other writers of it wait for the end of the transaction.
    """
    query = select(partner_clocks).where(partner_clocks.c.environment == environment)
    if lock:
        query = query.with_for_update()
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    before = (
        None
        if row.set_before is None
        else Before(row.before_offset_us, row.before_bound_us, row.set_after, row.set_before)
    )
    return PartnerClock(row.offset_us, row.bound_us, row.measured_at, row.confirmed_at, before)


async def write_clock(connection: AsyncConnection, environment: str, clock: PartnerClock) -> None:
    """Keep what is known of the clock of *environment*."""
    before = clock.before
    values = {
        "offset_us": clock.offset_us,
        "bound_us": clock.bound_us,
        "measured_at": clock.measured_at,
        "confirmed_at": clock.confirmed_at,
        "before_offset_us": before.offset_us if before else None,
        "before_bound_us": before.bound_us if before else None,
        "set_after": before.set_after if before else None,
        "set_before": before.set_before if before else None,
    }
    known = await connection.scalar(
        select(partner_clocks.c.environment).where(partner_clocks.c.environment == environment)
    )
    if known is None:
        await connection.execute(insert(partner_clocks).values(environment=environment, **values))
    else:
        await connection.execute(
            update(partner_clocks)
            .where(partner_clocks.c.environment == environment)
            .values(**values)
        )
