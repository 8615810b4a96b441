from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from catalog.errors import PartnerAnswerError, PartnerUnavailableError
from catalog.models import ScreeningStatus
from catalog.partner.details import ScreeningDetails, check_showtime, read_details
from tests.catalog.samples import details


def read(**changes: Any) -> ScreeningDetails:
    """The partner's answer with *changes*, read."""
    return read_details(json.dumps(details(**changes)).encode())


def test_details_are_read() -> None:
    """The agreed answer is read, with instants in UTC; what is new in it is passed over."""
    known = read(movie_start="2026-03-06T11:50:00-08:00", seats=120)
    assert known.title == "Steamboat Bill, Jr."
    assert known.movie_start == datetime(2026, 3, 6, 19, 50, tzinfo=UTC)
    assert known.status is ScreeningStatus.SCHEDULED


def test_a_film_may_have_no_poster_no_track_and_no_previews() -> None:
    """Nulls where the partner has nothing, and a feature that starts at once."""
    known = read(
        poster_path=None, audio_description_path=None, previews_start="2026-03-06T19:50:00Z"
    )
    assert known.poster_path is None
    assert known.previews_start == known.movie_start


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"credits_end": "2026-03-06T19:50:00Z"}, "impossible-times"),
        ({"credits_end": "2026-03-06T18:00:00Z"}, "impossible-times"),
        ({"previews_start": "2026-03-06T19:51:00Z"}, "impossible-times"),
        ({"credits_end": "2026-03-08T19:50:00Z"}, "impossible-times"),
        ({"previews_start": "1999-12-31T23:59:59Z"}, "impossible-instant"),
        ({"poster_path": "https://elsewhere.example/x.jpg"}, "poster-path"),
        ({"poster_path": "//elsewhere.example/x.jpg"}, "poster-path"),
        ({"poster_path": "/../secrets"}, "poster-path"),
        ({"poster_path": "/a/./b.jpg"}, "poster-path"),
        ({"poster_path": "x.jpg"}, "poster-path"),
        ({"poster_path": "/x.jpg?a=b"}, "poster-path"),
        ({"poster_path": "/x.jpg\n"}, "poster-path"),
        ({"time_zone": "Mars/Olympus"}, "unknown-time-zone"),
        ({"time_zone": "../../etc/passwd"}, "unknown-time-zone"),
        ({"movie_start": "2026-03-06T19:50:00"}, "malformed"),
        ({"movie_start": 1772825400}, "malformed"),
        ({"title": ""}, "malformed"),
        ({"title": None}, "malformed"),
        ({"status": "sold out"}, "malformed"),
        ({"revision": -1}, "malformed"),
        ({"revision": "1"}, "malformed"),
        ({"revision": True}, "malformed"),
        ({"revision": 2**63}, "malformed"),
        ({"movie_start_bound_ms": 1.5}, "malformed"),
        ({"auditorium_number": 7}, "malformed"),
        ({"theater_name": "x" * 256}, "malformed"),
    ],
)
def test_what_cannot_be_true_has_a_name(changes: dict[str, Any], reason: str) -> None:
    """Each impossible answer is refused with a stable word and the field in the detail."""
    with pytest.raises(PartnerAnswerError) as refused:
        read(**changes)
    assert refused.value.reason == reason


@pytest.mark.parametrize("body", [b"[]", b"null", b"7", b'"text"', b"{}"])
def test_json_of_another_form_is_malformed(body: bytes) -> None:
    """JSON that is not an object with our fields is an answer, and a wrong one."""
    with pytest.raises(PartnerAnswerError) as refused:
        read_details(body)
    assert refused.value.reason == "malformed"


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b'{"title":', b"[" * 60_000])
def test_no_json_is_no_answer(body: bytes) -> None:
    """What is not JSON did not come from the partner's application: ask again."""
    with pytest.raises(PartnerUnavailableError) as refused:
        read_details(body)
    assert refused.value.reason == "not-json"


@pytest.mark.parametrize(
    ("echo", "reason"), [(None, "showtime-missing"), ("st-2", "showtime-mismatch")]
)
def test_another_showtime_is_never_taken(echo: str | None, reason: str) -> None:
    """A missing or a different showtime_id is refused: a guess would be silent and wrong."""
    with pytest.raises(PartnerAnswerError) as refused:
        check_showtime(read(showtime_id=echo), "st-1")
    assert refused.value.reason == reason


def test_the_right_echo_passes() -> None:
    """The showtime that was asked for is taken."""
    check_showtime(read(), "st-1")
