"""The database's disk is full while tickets are sold."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shlex
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path

import aiohttp
import pytest

from catalog.keys.webhooks import load_secret_file, sign_webhook
from tests.gateway.enemies.clients import heard
from tests.gateway.enemies.conftest import copied
from tests.gateway.enemies.house import House

pytestmark = pytest.mark.xdist_group("enemies")

DISK_BYTES = 6_000_000
MOST = 400


class Desk:
    """Sells tickets: a partner that signs what it posts."""

    def __init__(self, house: House, session: aiohttp.ClientSession) -> None:
        self._house = house
        self._session = session
        (self._secret,) = load_secret_file(house.folder / "secrets" / "webhook-local.keys")

    async def sell(self, number: int) -> tuple[int, str | None, dict[str, str]]:
        """Post purchase *number*: status, Retry-After and what was answered."""
        body = json.dumps({**self._house.notice, "purchase_id": f"purchase-{number}"}).encode()
        stamp = int(time.time())
        name = f"msg_{hashlib.sha256(body).hexdigest()}"
        headers = {
            "Content-Type": "application/json",
            "x-api-key": "local",
            "webhook-id": name,
            "webhook-timestamp": str(stamp),
            "webhook-signature": sign_webhook(self._secret, name, stamp, body),
        }
        url = f"http://127.0.0.1:{self._house.port}/tell/purchase"
        async with self._session.post(url, data=body, headers=headers) as answer:
            text = await answer.json(content_type=None)
            return answer.status, answer.headers.get("Retry-After"), text


async def test_a_full_disk_refuses_purchases_and_loses_none(prepared: Path, tmp_path: Path) -> None:
    """503 with Retry-After, nothing half done; listeners hear on; with room again it sells again.

    The disk is a small one in a namespace of its own, which is reached by the process (proc(5)).
    """
    disk = tmp_path / "disk"
    disk.mkdir()
    folder = copied(prepared, tmp_path / "house")
    here, there = shlex.quote(str(folder / "tell.db")), shlex.quote(str(disk))
    script = (
        f"mount -t tmpfs -o size={DISK_BYTES} none {there} && cp {here} {there}/ || exit 99; "
        'exec "$@"'
    )
    within = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    trial = await asyncio.to_thread(
        subprocess.run, [*within, "true"], check=False, capture_output=True
    )
    if trial.returncode:
        pytest.skip("this system lets nobody mount a small disk for the test (unshare --map-root)")
    house = House.start(folder, prepared / "media", database=disk / "tell.db", within=within)
    inside = Path(f"/proc/{house.process.pid}/root{disk}")
    sold = {}
    try:
        async with heard(house) as listener, aiohttp.ClientSession() as session:
            desk = Desk(house, session)
            status, _, sold[0] = await desk.sell(0)
            assert status == 202
            _fill(inside / "filler")
            for number in range(1, MOST):
                status, retry_after, answer = await desk.sell(number)
                if status != 202:
                    break
                sold[number] = answer
            assert (status, answer["code"]) == (503, "database-unavailable")
            assert retry_after is not None
            assert int(retry_after) > 0
            await listener.more(20)
            assert _kept(inside, tmp_path) == set(sold)
            (inside / "filler").unlink()
            # The refused one, and then each that was answered: it is known, and answered alike.
            status, _, sold[number] = await desk.sell(number)
            assert status == 202
            for known, before in sold.items():
                assert await desk.sell(known) == (202, None, before)
            assert _kept(inside, tmp_path) == set(sold)
    finally:
        house.end()


def _fill(path: Path) -> None:
    """Write until there is no room."""
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError as error:
            assert "No space left" in str(error)  # noqa: PT017  (any other error is no full disk)


def _kept(disk: Path, folder: Path) -> set[int]:
    """The numbers of our purchases in the database, looked at outside its namespace."""
    for name in ("tell.db", "tell.db-wal"):
        shutil.copy(disk / name, folder / name)
    connection = sqlite3.connect(folder / "tell.db")
    try:
        rows = connection.execute("SELECT purchase_id FROM purchases").fetchall()
    finally:
        connection.close()
    return {int(name.removeprefix("purchase-")) for (name,) in rows if name.startswith("purchase-")}
