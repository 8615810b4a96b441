"""Questions to the partner, and when one that failed is asked again. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from random import SystemRandom

from sqlalchemy import ColumnElement

from catalog.errors import PartnerError, PartnerUnavailableError
from catalog.models import PurchaseState
from catalog.partner.details import Question
from catalog.store.schema import purchases

RANDOM = SystemRandom()
_DETAIL_CHARS = 255
# A partner that asks for hours is asked again anyway: it may have meant another moment.
_LONGEST_OBEYED_S = 900.0
KEY = (
    purchases.c.environment,
    purchases.c.movie_id,
    purchases.c.place_id,
    purchases.c.auditorium_number,
    purchases.c.showtime_id,
)
# Whom the right answer helps: a person need not decide any more what has been answered.
OPEN = (PurchaseState.ACCEPTED, PurchaseState.PARKED)


@dataclass(frozen=True, slots=True)
class LookUp:
    """One question to the partner; all purchases with these five fields wait for its answer."""

    environment: str
    movie_id: str
    place_id: str
    auditorium_number: str
    showtime_id: str

    @property
    def question(self) -> Question:
        """What the partner is asked."""
        return Question(self.movie_id, self.place_id, self.auditorium_number, self.showtime_id)

    def waiting(self, *states: PurchaseState) -> list[ColumnElement[bool]]:
        """Conditions of its purchases in one of *states*."""
        pairs = zip(KEY, astuple(self), strict=True)
        return [purchases.c.state.in_(states), *(column == value for column, value in pairs)]


@dataclass(frozen=True, slots=True)
class RetryRules:
    """Delays grow from *first_s* to *longest_s*.

    A partner that answers, with 404 or what cannot be true, is asked for *patience*; then the
    purchase is parked. One that does not answer is asked for ever.
    """

    first_s: float
    longest_s: float
    patience: timedelta
    fraction: Callable[[], float] = RANDOM.random

    def delay(self, attempts: int, error: PartnerError) -> timedelta:
        """Time until the next look-up after *attempts* earlier failures and this one."""
        own_s = retry_delay_s(attempts, self.first_s, self.longest_s, self.fraction())
        asked_s = error.retry_after_s if isinstance(error, PartnerUnavailableError) else 0.0
        return timedelta(seconds=max(own_s, min(asked_s, _LONGEST_OBEYED_S)))


def retry_delay_s(attempts: int, first_s: float, max_s: float, fraction: float) -> float:
    """Seconds until the next look-up after *attempts* earlier failures.

    Doubles from *first_s* to *max_s*; *fraction* (0 to 1, random) takes up to half of it away, so
    that purchases that failed together do not all come back together.
    """
    full_s = min(max_s, first_s * 2.0 ** min(attempts, 32))
    return full_s * (0.5 + fraction / 2)


def is_outage(failure_code: str) -> bool:
    """Whether the code says that the partner did not answer at all."""
    return failure_code.startswith("status-") or failure_code in {
        "breaker-open",
        "connection",
        "not-json",
        "timeout",
        "too-long",
    }


def failing_since(
    code: str | None, since: datetime | None, error: PartnerError, now: datetime
) -> datetime:
    """Since when it has been the same trouble as *error*: no answer, or answers of no use.

    *code* and *since* are what was stored after the last failure.
    """
    if code is None or since is None:
        return now
    return since if is_outage(code) is isinstance(error, PartnerUnavailableError) else now


def failure(error: PartnerError) -> dict[str, str]:
    """What of *error* is kept with a purchase."""
    return {"failure_code": error.reason, "failure_detail": error.detail[:_DETAIL_CHARS]}
