from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from catalog.purchases.notices import PurchaseNotice, unknown_fields
from tests.catalog.samples import notice

SIX = json.loads(notice().model_dump_json())


def test_six_fields_are_a_purchase() -> None:
    """The six fields are kept verbatim, the instant in UTC, from JSON text and from a dict."""
    read = PurchaseNotice.model_validate_json(json.dumps(SIX))
    assert read == PurchaseNotice.model_validate(SIX)
    assert read.auditorium_number == "7"
    assert read.purchased_at == datetime(2026, 3, 6, 19, 15, tzinfo=UTC)


@pytest.mark.parametrize("field", list(SIX))
def test_each_field_is_required(field: str) -> None:
    """A notice without one of the six is refused with that field's name."""
    with pytest.raises(ValidationError) as refused:
        PurchaseNotice.model_validate({k: v for k, v in SIX.items() if k != field})
    assert refused.value.errors()[0]["loc"] == (field,)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            ("purchase_id", value)
            for value in ("", "x" * 129, "a\nb", " a", "a ", 7, None, "\ud800")
        ),
        *(("movie_id", value) for value in ("", "..", ".", "a/b", "x" * 65, "é", "a\n")),
        *(("auditorium_number", value) for value in (7, "", True)),
        *(
            ("purchased_at", value)
            for value in (
                1772825400,
                "1772825400",
                1772825400.5,
                "2026-03-06T19:30:00",
                datetime(2026, 3, 6, 19, 30),  # noqa: DTZ001 - naive on purpose
                None,
            )
        ),
    ],
)
def test_wrong_values_are_refused_by_name(field: str, value: Any) -> None:
    """A value of another type or form is refused with the field's name, and nothing is coerced."""
    with pytest.raises(ValidationError) as refused:
        PurchaseNotice.model_validate({**SIX, field: value})
    assert refused.value.errors()[0]["loc"] == (field,)


def test_ids_may_be_in_any_script() -> None:
    """Partner ids other than movie_id are printable text of any script."""
    assert notice(auditorium_number="Säl 3").auditorium_number == "Säl 3"


def test_further_fields_are_passed_over_and_counted() -> None:
    """The partner may add fields without breaking us, and we can see that it did."""
    data = {**SIX, "seat": "F7", "price": 12}
    assert PurchaseNotice.model_validate(data) == notice()
    assert unknown_fields(data) == 2
