"""A real Redis server for tests (demo/services/redis.py)."""

from __future__ import annotations

import os
import shutil

import pytest

from demo.services.redis import PROGRAM, RedisServer, running_redis

__all__ = ["RedisServer", "require_redis", "running_redis"]


def require_redis() -> None:
    """Skip the test, aloud, where there is no Redis; fail it where it must not be missing (CI)."""
    if shutil.which(PROGRAM) is not None:
        return
    message = f"{PROGRAM} not found: apt-get install redis-server"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
