"""What a test says where a part that it needs cannot be had: aloud, and where CI is set it fails.

A condition of the test itself (`pytest.mark.skipif`) is no missing part, and stays a skip.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where CI promises that everything is there."""
    report = yield
    if not (report.skipped and os.environ.get("CI")) or hasattr(report, "wasxfail"):
        return report
    if item.get_closest_marker("skip") is None and item.get_closest_marker("skipif") is None:
        # A skip is told as (file, line, reason).
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"CI is set, so this must run. {why}"
    return report
