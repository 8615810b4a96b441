"""The ids that AMC-clone makes up."""

from __future__ import annotations

import base64
import hashlib
import secrets


def new_purchase_id() -> str:
    """An unguessable id: 120 random bits. It stands in the URL of the page with the listen link."""
    return _letters(secrets.token_bytes(15))


def new_webhook_id() -> str:
    """The id of a message, the same at each try (Standard Webhooks 1.0, "webhook-id").

    It has no full stop: that divides the parts of the signed text.
    """
    return f"msg_{_letters(secrets.token_bytes(15))}"


def new_showtime_id() -> str:
    """The id of a screening that an operator adds."""
    return f"st-{_letters(secrets.token_bytes(10))}"


def seeded_showtime_id(place_id: str, auditorium_number: str, local_start: str) -> str:
    """The id of a seeded screening: the same in every run, so that seeding twice adds nothing."""
    digest = hashlib.sha256(f"{place_id}/{auditorium_number}/{local_start}".encode()).digest()
    return f"st-{_letters(digest[:10])}"


def _letters(value: bytes) -> str:
    # RFC 4648 6, lower case: safe in a URL, and speakable.
    return base64.b32encode(value).decode().rstrip("=").lower()
