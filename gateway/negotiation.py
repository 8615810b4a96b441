"""Which form of an answer a client wants: Accept and its kin (RFC 9110 12.5). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

# qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ), RFC 9110 12.4.2.
_QVALUE = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")

# Browsers and players write these headers in a few ways.
_KEPT = 256


@lru_cache(_KEPT)
def preferred_type(accept: str | None, offers: tuple[str, ...]) -> str | None:
    """The offer that *accept* likes best, the earlier of equals; None where it refuses all.

    A missing or empty header accepts everything. The most specific range that fits an offer decides
    on it (RFC 9110 12.5.1); media type parameters in a range are passed over.
    """
    ranges = _weights(accept)
    if not ranges:
        return offers[0]
    best: tuple[float, str | None] = (0.0, None)
    for offer in offers:
        main = offer.partition("/")[0]
        weight = next(
            (ranges[pattern] for pattern in (offer, f"{main}/*", "*/*") if pattern in ranges), 0.0
        )
        if weight > best[0]:
            best = (weight, offer)
    return best[1]


@lru_cache(_KEPT)
def accepts_gzip(accept_encoding: str | None) -> bool:
    """Whether a gzip answer may be sent (RFC 9110 12.5.3)."""
    weights = _weights(accept_encoding)
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


def preferred_language(accept_language: str | None, offers: Sequence[str]) -> str:
    """The offered language that the client likes best; the first offer where it likes none.

    Offers are languages without a region, and a region in the header is passed over, as the app
    does with the phone's languages (RFC 4647 3.4).
    """
    weights = _weights(accept_language)
    # Equal ones as they are written: clients put the dearest first.
    for tag in sorted(weights, key=lambda tag: -weights[tag]):
        if weights[tag] > 0 and tag.partition("-")[0] in offers:
            return tag.partition("-")[0]
    return offers[0]


def _weights(header: str | None) -> dict[str, float]:
    """Each value of the list with its weight; malformed members are passed over."""
    weights: dict[str, float] = {}
    for member in (header or "").split(","):
        name, *parameters = (part.strip().lower() for part in member.split(";"))
        if not name:
            continue
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                weight = float(value) if _QVALUE.fullmatch(value) else 0.0
        weights[name] = weight
    return weights
