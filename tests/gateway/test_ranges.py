"""Conditions and byte ranges of a file of 1,000 bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from gateway.errors import PreconditionFailedError, RangeUnsatisfiableError
from gateway.ranges import Selection, joined, select_bytes

SIZE = 1000
WHOLE = Selection(200, 0, SIZE)


def select(method: str = "GET", **headers: str) -> Selection:
    """Select from the file with the tag `abc`; `if_range` stands for If-Range."""
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return select_bytes(method, named, "abc", SIZE)


@pytest.mark.parametrize(
    ("header", "start", "size"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 1000),
        ("bytes=10-19", 10, 10),
        ("bytes=990-5000", 990, 10),
        ("bytes=-10", 990, 10),
        ("bytes=-5000", 0, 1000),
        ("BYTES= 5 - 6", None, None),
        ("Bytes=5-6", 5, 2),
        ("bytes= 5-6 ", 5, 2),
        ("bytes=0000000000000000000000005-6", 5, 2),
        ("bytes=5-99999999999999999999999999", 5, 995),
        # Of several, the first that exists.
        ("bytes=5-6,10-11", 5, 2),
        ("bytes=5000-6000, 10-11", 10, 2),
        ("bytes=-0, 7-7", 7, 1),
        ("bytes=0-1" + ",0-1" * 5000, 0, 2),
    ],
)
def test_a_range_is_cut_to_the_file(header: str, start: int | None, size: int | None) -> None:
    """RFC 9110 14.1.2; a malformed one is passed over."""
    expected = WHOLE if start is None or size is None else Selection(206, start, size)
    assert select(range=header) == expected


@pytest.mark.parametrize(
    "header",
    ["bytes=1000-", "bytes=-0", "bytes=5000-6000", "bytes=1000-1001,-0", f"bytes={'9' * 5000}-"],
)
def test_a_range_past_the_end_is_refused_with_the_size(header: str) -> None:
    """416 names how much there is (RFC 9110 15.5.17)."""
    with pytest.raises(RangeUnsatisfiableError) as caught:
        select(range=header)
    assert caught.value.size_bytes == SIZE


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes=-",
        "bytes=a-b",
        "bytes=6-5",
        "bytes=5-6,x",
        "bytes=1--2",
        "bytes=٣-٤",
        "bytes=5-6,9-8",
        "rows=1-2",
    ],
)
def test_a_malformed_range_is_passed_over(header: str) -> None:
    """The whole file is sent (RFC 9110 14.2)."""
    assert select(range=header) == WHOLE


def test_head_has_no_ranges() -> None:
    """Range means something for GET alone (RFC 9110 14.2)."""
    assert select("HEAD", range="bytes=5-6") == WHOLE


@pytest.mark.parametrize("tag", ['"abc"', 'W/"abc"', '"x", "abc"', "*", '"a,b", W/"abc"'])
def test_a_known_version_is_not_sent_again(tag: str) -> None:
    """If-None-Match compares weakly (RFC 9110 13.1.2), and stands above Range."""
    assert select(if_none_match=tag, range="bytes=0-1").status == 304


@pytest.mark.parametrize("tag", ['"abd"', "abc", ""])
def test_another_version_is_sent(tag: str) -> None:
    """A tag that is not ours changes nothing."""
    assert select(if_none_match=tag) == WHOLE


@pytest.mark.parametrize("tag", ['"x"', 'W/"abc"', "junk"])
def test_if_match_holds_back_another_version(tag: str) -> None:
    """412, compared strongly (RFC 9110 13.1.1)."""
    with pytest.raises(PreconditionFailedError):
        select(if_match=tag, range="bytes=5000-")
    assert select(if_match='"x", "abc"') == WHOLE


@pytest.mark.parametrize(
    ("tag", "status"),
    [
        ('"abc"', 206),
        (' "abc" ', 206),
        ('W/"abc"', 200),
        ('"old"', 200),
        ("Sat, 01 Jan 2028 00:00:00 GMT", 200),
        ('"abc", "x"', 200),
    ],
)
def test_a_download_resumes_only_in_the_same_version(tag: str, status: int) -> None:
    """If-Range with our strong tag gives the range, anything else the whole (RFC 9110 13.1.5)."""
    assert select(if_range=tag, range="bytes=5-6").status == status


def test_an_old_version_s_range_is_never_unsatisfiable() -> None:
    """If-Range is looked at before the range: the file may have become shorter."""
    assert select(if_range='"old"', range="bytes=5000-") == WHOLE


@given(st.text(max_size=40), st.integers(min_value=1, max_value=10**12))
def test_no_header_breaks_the_selection(header: str, size: int) -> None:
    """Whatever stands in Range, the answer lies within the file or is a clean refusal."""
    for value in (header, f"bytes={header}"):
        try:
            selection = select_bytes("GET", {"Range": value}, "abc", size)
        except RangeUnsatisfiableError:
            continue
        assert 0 <= selection.start < selection.start + selection.size <= size


def test_lines_of_one_name_are_one_list() -> None:
    """Our tag may be in the second line; two lines of Range, or of If-Range, are malformed."""

    def answered(*lines: tuple[str, str]) -> tuple[int, int]:
        selection = select_bytes("GET", joined(CIMultiDict(lines)), "abc", SIZE)
        return selection.status, selection.size

    none = ("if-none-match", '"other"')
    assert answered(none) == (200, SIZE)
    assert answered(none, ("If-None-Match", '"abc"')) == (304, 0)
    assert answered(("If-Match", '"other"'), ("If-Match", '"abc"')) == (200, SIZE)
    one = ("Range", "bytes=0-1")
    assert answered(one) == (206, 2)
    assert answered(one, ("Range", "bytes=4-5")) == (200, SIZE)
    assert answered(one, ("If-Range", '"other"'), ("If-Range", '"abc"')) == (200, SIZE)
