"""Tests of a group run in one process, so that what they share is made once."""

from __future__ import annotations

import os

import pytest


@pytest.mark.xdist_group("kept-together")
@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="nothing is distributed")
def test_a_group_is_kept_together(request: pytest.FixtureRequest) -> None:
    """pytest-xdist tells its scheduler by the test's id; with pytest 9.2 it did not, unseen."""
    assert request.node.nodeid.endswith("@kept-together")
