"""Ids are unguessable where they guard a secret, and stable where they are seeded."""

from __future__ import annotations

import re

from amc_clone.identifiers import (
    new_purchase_id,
    new_showtime_id,
    new_webhook_id,
    seeded_showtime_id,
)


def test_a_purchase_id_cannot_be_guessed() -> None:
    """24 letters of base32 are 120 bits, and no two are alike."""
    ids = {new_purchase_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(r"[a-z2-7]{24}", each) for each in ids)


def test_a_webhook_id_has_no_full_stop() -> None:
    """It would move the border between the signed parts."""
    assert re.fullmatch(r"msg_[a-z2-7]{24}", new_webhook_id())


def test_a_seeded_showtime_id_is_the_same_in_every_run() -> None:
    """It is pinned here: a change would seed everything twice."""
    assert seeded_showtime_id("p", "1", "2027-03-06T15:00:00+00:00") == "st-lovdcneslmvmiemy"
    assert re.fullmatch(r"st-[a-z2-7]{16}", new_showtime_id())
