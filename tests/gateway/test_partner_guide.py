"""docs/partner.md: what it shows is what happens."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
from asyncio.subprocess import PIPE
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.problems import TABLE
from tests.gateway.town import Town

GUIDE = (Path(__file__).parents[2] / "docs" / "partner.md").read_text(encoding="utf-8")
PATIENCE_S = 60


def example(language: str) -> str:
    """The one block of *language* in the guide."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```", GUIDE, flags=re.MULTILINE | re.DOTALL)
    assert isinstance(block, str)
    return block


async def run(town: Town, *command: str) -> tuple[int, str, str]:
    """Run an example as a partner of the town; exit code, stdout, stderr."""
    # The examples sign by the real clock, as every partner does.
    town.clock.now = datetime.now(UTC)
    process = await asyncio.create_subprocess_exec(
        *command,
        env={
            **os.environ,
            "TELL": str(town.tell.make_url("")).rstrip("/"),
            "KEY_ID": "local",
            "KEY_FILE": str(Path(town.settings.secrets.dir) / "webhook-local.keys"),
        },
        stdout=PIPE,
        stderr=PIPE,
    )
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_the_shell_example_makes_a_purchase(town: Town) -> None:
    """Signed by openssl and sent by curl, as it stands there."""
    for program in ("sh", "curl", "openssl", "base64"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    code, out, err = await run(town, "sh", "-euc", example("sh"))
    assert code == 0, err
    assert set(json.loads(out)) == {"correlation_id", "listen_url"}
    assert await town.purchases() == 1


async def test_the_python_example_makes_a_purchase(town: Town) -> None:
    """And a second run, as after a crash, has the same answer."""
    first = await run(town, sys.executable, "-c", example("python"))
    assert first[0] == 0, first[2]
    assert re.fullmatch(r"[a-z2-7]{20}\n", first[1])
    assert await run(town, sys.executable, "-c", example("python")) == first
    assert await town.purchases() == 1


def test_the_guide_names_codes_that_exist() -> None:
    """With the statuses that they have."""
    known = {(kind.status, kind.code) for kind in TABLE.values()}
    rows = re.findall(r"^\| ([0-9, ]+) \| (`.*?`) \|", GUIDE, flags=re.MULTILINE)
    assert len(rows) > 5
    for statuses, codes in rows:
        for code in re.findall(r"`([a-z-]+)`", codes):
            assert any((int(status), code) in known for status in statuses.split(",")), code


def test_the_purchase_of_the_guide_has_the_fields_of_the_model() -> None:
    """The example and the table show all six and nothing else."""
    block = example("http") if GUIDE.count("```http") == 1 else GUIDE.split("```http")[1]
    body = json.loads(block[block.index("{") : block.index("}") + 1])
    assert list(body) == [
        "purchase_id",
        "movie_id",
        "place_id",
        "auditorium_number",
        "showtime_id",
        "purchased_at",
    ]
