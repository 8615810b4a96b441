"""The ids that become folder names, and the only place that says which are allowed."""

from __future__ import annotations

import re
from functools import lru_cache

from media.errors import InvalidIdError

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# BCP 47 (RFC 5646 2.1): a primary subtag and further subtags, of letters and digits.
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")

# An evening has few films and versions, and each is asked about with each token.
_KEPT = 512


@lru_cache(_KEPT)
def is_id(value: str) -> bool:
    """Whether *value* may name a movie, a language or a version in the storage."""
    return _ID.fullmatch(value) is not None and value not in {".", ".."}


def check_id(kind: str, value: str) -> str:
    """Return *value*, or raise InvalidIdError that names *kind*."""
    if not is_id(value):
        raise InvalidIdError(
            kind, value, "use 1 to 64 of A-Z a-z 0-9 . _ - and neither '.' nor '..'"
        )
    return value


@lru_cache(_KEPT)
def is_language(value: str) -> bool:
    """Whether *value* has the form of a language tag."""
    return len(value) <= 64 and _LANGUAGE.fullmatch(value) is not None


def check_language(value: str) -> str:
    """Return a language tag of BCP 47's form, or raise InvalidIdError."""
    if not is_language(value):
        raise InvalidIdError("language", value, "use a BCP 47 tag such as en or es-MX")
    return value
