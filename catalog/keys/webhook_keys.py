"""The partners' webhook secrets: sealed in the database, so that all replicas share them.

Several are good at once: a rotation makes a new one and lets the others go on for an overlap, a
revocation ends one within seconds on every running gateway. A secret is shown when it is made, and
never again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Row, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.errors import KeyNameError, MasterKeyError
from catalog.keys.sealing import MasterKeys
from catalog.keys.webhooks import WebhookSecret
from catalog.store.database import Database
from catalog.store.schema import webhook_keys


class KeyState(StrEnum):
    """What a key is good for at a moment."""

    GOOD = "good"
    RETIRING = "retiring"
    RETIRED = "retired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class WebhookKey:
    """A key as a person may see it: everything but the secret."""

    environment: str
    name: str
    created_at: datetime
    retires_at: datetime | None
    revoked_at: datetime | None

    def state(self, now: datetime) -> KeyState:
        """What it is good for at *now*; a key is retired from the very instant on."""
        if self.revoked_at is not None:
            return KeyState.REVOKED
        if self.retires_at is None:
            return KeyState.GOOD
        return KeyState.RETIRING if now < self.retires_at else KeyState.RETIRED

    def verifies(self, now: datetime) -> bool:
        """Whether a message that it signed is taken at *now*."""
        return self.state(now) in {KeyState.GOOD, KeyState.RETIRING}


@dataclass(frozen=True, slots=True)
class OpenKey:
    """A key with its secret, in a gateway's memory."""

    key: WebhookKey
    secret: WebhookSecret


class KeyStore:
    """The table of keys. Every method raises DatabaseError."""

    def __init__(
        self, database: Database, master: MasterKeys, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._master = master
        self._clock = clock

    async def add(self, environment: str, secret: bytes) -> str:
        """Keep a key beside those that there are; returns its name. Raises KeyNameError."""

        async def work(connection: AsyncConnection) -> str:
            number = await self._next_number(connection, environment)
            await self._refuse_known(connection, environment, secret)
            return await self._insert(connection, environment, number, secret)

        return await self._database.run(work)

    async def rotate(self, environment: str, secret: bytes, overlap: timedelta) -> str:
        """Keep a key, and let those that are good now retire after *overlap*; returns its name."""

        async def work(connection: AsyncConnection) -> str:
            number = await self._next_number(connection, environment)
            await self._refuse_known(connection, environment, secret)
            await connection.execute(
                update(webhook_keys)
                .where(webhook_keys.c.environment == environment)
                .where(webhook_keys.c.revoked_at.is_(None))
                .where(webhook_keys.c.retires_at.is_(None))
                .values(retires_at=self._clock() + overlap)
            )
            return await self._insert(connection, environment, number, secret)

        return await self._database.run(work)

    async def revoke(self, environment: str, name: str) -> WebhookKey:
        """End a key now and for ever; a second time changes nothing. Raises KeyNameError."""

        async def work(connection: AsyncConnection) -> WebhookKey:
            known = {key.name: key for key in await self._of(connection, environment)}
            if name not in known:
                raise KeyNameError(
                    f"{environment} has no webhook key {name[:16]!r}; "
                    f"see `tell keys list {environment}`"
                )
            if known[name].revoked_at is None:
                await connection.execute(
                    update(webhook_keys)
                    .where(webhook_keys.c.environment == environment)
                    .where(webhook_keys.c.name == name)
                    .values(revoked_at=self._clock())
                )
            return known[name]

        return await self._database.run(work)

    async def import_secrets(self, environment: str, secrets: Iterable[bytes]) -> list[str]:
        """Keep the secrets that are not kept yet; returns the names of the new ones.

        One that was revoked stays revoked, and a retired one retired: both are known.
        """
        wanted = list(secrets)

        async def work(connection: AsyncConnection) -> list[str]:
            number = await self._next_number(connection, environment)
            known = await self._secrets(connection, environment)
            names: list[str] = []
            for secret in wanted:
                if secret not in known:
                    known.add(secret)
                    free = number + len(names)
                    names.append(await self._insert(connection, environment, free, secret))
            return names

        return await self._database.run(work)

    async def keys(self, environment: str | None = None) -> list[WebhookKey]:
        """All keys of one environment, or of every one, oldest first."""
        async with self._database.read() as connection:
            return await self._of(connection, environment)

    async def opened(self) -> tuple[list[OpenKey], list[WebhookKey]]:
        """Every key that is not revoked with its secret, and those that the master key opens not.

        A key that cannot be opened takes no other one with it.
        """
        async with self._database.read() as connection:
            rows = (
                await connection.execute(_query(None).where(webhook_keys.c.revoked_at.is_(None)))
            ).all()
        good, closed = [], []
        for row in rows:
            if (opened := self._try_open(row)) is not None:
                good.append(opened)
            else:
                closed.append(_key(row))
        return good, closed

    async def _refuse_known(
        self, connection: AsyncConnection, environment: str, secret: bytes
    ) -> None:
        if secret in await self._secrets(connection, environment):
            raise KeyNameError(f"{environment} has this very secret already")

    async def _secrets(self, connection: AsyncConnection, environment: str) -> set[bytes]:
        rows = (await connection.execute(_query(environment))).all()
        opened = [self._try_open(row) for row in rows]
        return {each.secret.value for each in opened if each is not None}

    async def _next_number(self, connection: AsyncConnection, environment: str) -> int:
        """Number of the next key; read before the secrets that are known.

        Keys are never deleted, so it is free. Of two who read it at once the unique key lets one
        through, and the other one begins again and finds the first one's secrets.
        """
        count = await connection.scalar(
            select(func.count())
            .select_from(webhook_keys)
            .where(webhook_keys.c.environment == environment)
        )
        return (count or 0) + 1

    async def _insert(
        self, connection: AsyncConnection, environment: str, number: int, secret: bytes
    ) -> str:
        name = f"w{number}"
        await connection.execute(
            insert(webhook_keys).values(
                environment=environment,
                name=name,
                sealed=self._master.seal(secret, environment, name),
                created_at=self._clock(),
            )
        )
        return name

    async def _of(self, connection: AsyncConnection, environment: str | None) -> list[WebhookKey]:
        return [_key(row) for row in await connection.execute(_query(environment))]

    def _try_open(self, row: Row[tuple[object, ...]]) -> OpenKey | None:
        try:
            secret = self._master.open(row.sealed, row.environment, row.name)
        except MasterKeyError:
            return None
        return OpenKey(_key(row), WebhookSecret(row.name, secret))


def _query(environment: str | None) -> Select[tuple[object, ...]]:
    query = select(webhook_keys).order_by(webhook_keys.c.environment, webhook_keys.c.id)
    return query if environment is None else query.where(webhook_keys.c.environment == environment)


def _key(row: Row[tuple[object, ...]]) -> WebhookKey:
    return WebhookKey(
        environment=row.environment,
        name=row.name,
        created_at=row.created_at,
        retires_at=row.retires_at,
        revoked_at=row.revoked_at,
    )
