"""Which kinds of database the tests run on.

By itself a test runs on SQLite, and on a real MariaDB too where what it asks of SQL may differ.
`TESTS_DATABASE=mariadb` (`make test-mariadb`) runs each on MariaDB alone, and `sqlite` on that.
"""

from __future__ import annotations

import os

_ALL = ("sqlite", "mariadb")
# Not TELL_: those are settings, and an unknown one is refused.
VARIABLE = "TESTS_DATABASE"


def database_kinds() -> tuple[str, ...]:
    """The kinds for a test that is to run on both, the first of them for every other test."""
    wanted = os.environ.get(VARIABLE, "")
    if not wanted:
        return _ALL
    if wanted not in _ALL:
        raise ValueError(f"{VARIABLE}={wanted}: write {' or '.join(_ALL)}")
    return (wanted,)
