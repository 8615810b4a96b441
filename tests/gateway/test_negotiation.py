"""Accept and Accept-Encoding."""

from __future__ import annotations

import pytest

from gateway.negotiation import accepts_gzip, preferred_language, preferred_type

JSON, HLS = "application/json", "application/vnd.apple.mpegurl"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        (JSON, JSON),
        (HLS, HLS),
        ("Application/VND.Apple.MpegURL", HLS),
        (f"{HLS};q=0.5, {JSON};q=0.4", HLS),
        (f"{HLS};q=0.5, {JSON}", JSON),
        (f"{HLS}, */*;q=0.8", HLS),
        (f"*/*, {JSON};q=0", HLS),
        (f"application/*;q=0.2, {JSON};q=0.1", HLS),
        (f"{JSON};q=0, */*;q=0", None),
        ("text/html", None),
        (f"{HLS};q=junk, {JSON};q=0.1", JSON),
        (f"{HLS};q=1.5, {JSON};q=0.1", JSON),
        (";;,, ,", JSON),
    ],
)
def test_the_best_liked_form_is_chosen(accept: str | None, expected: str | None) -> None:
    """By weight, by specificity, and by our own order among equals (RFC 9110 12.5.1)."""
    assert preferred_type(accept, (JSON, HLS)) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("gzip, deflate, br", True),
        ("gzip;q=0", False),
        ("gzip;q=0.0, *", False),
        ("*", True),
        ("*;q=0", False),
        ("identity", False),
        ("br, GZIP;q=0.1", True),
    ],
)
def test_gzip_is_sent_only_where_it_is_taken(header: str | None, expected: bool) -> None:
    """RFC 9110 12.5.3, with q=0 as a refusal."""
    assert accepts_gzip(header) is expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "en"),
        ("es", "es"),
        ("ES-419", "es"),
        ("fr-FR, es;q=0.5, en;q=0.4", "es"),
        ("en;q=0.4, es;q=0.5", "es"),
        ("en-GB, es", "en"),
        ("es;q=0", "en"),
        ("fr, *;q=0.1", "en"),
        ("fr", "en"),
    ],
)
def test_the_best_liked_language_is_chosen(header: str | None, expected: str) -> None:
    """By weight and then by order; the first offer where none is liked."""
    assert preferred_language(header, ("en", "es")) == expected
