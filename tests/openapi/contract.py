"""Running schemathesis against a server: every check, every phase, sequences of requests too.

A few random examples by default; `CONTRACT_EXAMPLES=200 python -m pytest tests/openapi` asks much
more.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
EXAMPLES = os.environ.get("CONTRACT_EXAMPLES", "3")
SEED = "20261122"
PHASES = ("Coverage", "Fuzzing", "Stateful")


async def broken_promises(url: str, world: dict[str, Any]) -> str:
    """What the server at *url* does otherwise than its document says; "" where it keeps it.

    *world* is what tests/openapi/hooks.py needs to know.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json", "--url", url),
        *("--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"),
        *("--max-examples", EXAMPLES, "--seed", SEED, "--generation-database", "none"),
        *("--continue-on-failure", "--no-color", "--warnings", "off"),
        cwd=ROOT,
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": "tests.openapi.hooks",
            "CONTRACT_WORLD": json.dumps(world),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        out, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    said = out.decode()
    # A run that tested nothing keeps nothing either: each phase but the examples (the document has
    # few) must have run to its end.
    if process.returncode == 0 and all(f"✅ {phase}\n" in said for phase in PHASES):
        return ""
    return said
