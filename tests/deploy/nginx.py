"""What the tests of deploy/nginx share: a real nginx must be there."""

from __future__ import annotations

import os

import pytest

from demo.services import DemoError
from demo.services.nginx import nginx_program


@pytest.fixture
def needs_nginx() -> str:
    """Path of nginx. Skips aloud where there is none; fails where CI says that it must be there."""
    try:
        return nginx_program()
    except DemoError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
