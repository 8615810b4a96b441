"""Runs every bench in turn."""

from __future__ import annotations

import asyncio
import logging

import structlog

from bench import ingest


def main() -> None:
    """Print each bench's table."""
    # A line for each purchase would measure the terminal.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    asyncio.run(ingest.main())


if __name__ == "__main__":
    main()
