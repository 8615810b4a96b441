"""The partner's notice of a sold ticket: the six fields of `POST /tell/purchase`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from catalog.instants import Instant


def _printable(value: str) -> str:
    # Leading and trailing spaces are refused because databases differ on whether they count.
    if not value.isprintable() or value != value.strip():
        raise PydanticCustomError(
            "partner_id", "must be printable characters without spaces at the ends"
        )
    return value


def _not_a_folder(value: str) -> str:
    # The id becomes a folder's name in the storage (media/ids.py).
    if value in {".", ".."}:
        raise PydanticCustomError("movie_id", "must be neither '.' nor '..'")
    return value


# Field stands before the validator: the other way round pydantic drops the bounds.
PartnerId = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_printable)]
MovieId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$"), AfterValidator(_not_a_folder)]


class PurchaseNotice(BaseModel):
    """One sold ticket. All six fields are required, all are strings in JSON.

    `auditorium_number` is a string too: cinemas have auditoriums "3A" and "IMAX". `purchased_at`
    is an RFC 3339 date-time with an offset. Fields that are not ours are passed over, so that the
    partner may add some; `unknown_fields` counts them.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    purchase_id: PartnerId
    movie_id: MovieId
    place_id: PartnerId
    auditorium_number: PartnerId
    showtime_id: PartnerId
    purchased_at: Instant


def unknown_fields(data: Mapping[str, object]) -> int:
    """How many fields of a notice as it came are not ours."""
    return len(data.keys() - PurchaseNotice.model_fields.keys())
