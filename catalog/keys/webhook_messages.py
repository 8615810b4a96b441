"""The messages that came: a webhook-id is one message's own, and never another's.

Standard Webhooks 1.0: the sender gives each message an id and keeps it at every try. The same id
with the same bytes is a replay, which the sender may do as often as it likes; with other bytes it
is a fault of the sender, or somebody's forgery, and is refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.store.schema import webhook_messages


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a partner; `body_sha256` in lower-case hexadecimal."""

    environment: str
    webhook_id: str
    body_sha256: str


async def note_messages(
    connection: AsyncConnection, messages: Sequence[Message], now: datetime
) -> set[Message]:
    """Remember *messages* and return those whose id came before, or earlier here, with other bytes.

    To be called in the transaction that does what the messages say (Database.run: of two replicas
    that note one id at once, one begins again and finds it).
    """
    known = await _find(connection, messages)
    fresh: list[Message] = []
    reused: set[Message] = set()
    for message in messages:
        key = message.environment, message.webhook_id
        before = known.get(key)
        if before is None:
            known[key] = message.body_sha256
            fresh.append(message)
        elif before != message.body_sha256:
            reused.add(message)
    if fresh:
        await connection.execute(
            insert(webhook_messages),
            [
                {
                    "environment": message.environment,
                    "webhook_id": message.webhook_id,
                    "body_sha256": message.body_sha256,
                    "received_at": now,
                }
                for message in fresh
            ],
        )
    return reused


async def _find(
    connection: AsyncConnection, messages: Sequence[Message]
) -> dict[tuple[str, str], str]:
    """Digests of those that were noted before, by environment and id."""
    table = webhook_messages
    asked: defaultdict[str, set[str]] = defaultdict(set)
    for message in messages:
        asked[message.environment].add(message.webhook_id)
    known: dict[tuple[str, str], str] = {}
    for environment, webhook_ids in asked.items():
        rows = await connection.execute(
            select(table.c.webhook_id, table.c.body_sha256)
            .where(table.c.environment == environment)
            .where(table.c.webhook_id.in_(webhook_ids))
        )
        known.update({(environment, row.webhook_id): row.body_sha256 for row in rows})
    return known
