"""Which showing a ticket is for, where the partner's answer does not say. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from catalog.errors import AmbiguousShowingError, ShowtimeEchoError
from catalog.partner.details import ScreeningDetails


def choose(
    showings: Sequence[ScreeningDetails],
    showtime_id: str,
    sold_at: datetime,
    echo: ShowtimeEchoError,
) -> ScreeningDetails:
    """The one of *showings* that a ticket for *showtime_id*, sold at *sold_at*, can be for.

    The one that is named so; else the only one that was not over at *sold_at*: nobody sells a
    ticket for a film whose credits have ended. A cancelled one counts, since it may have been
    cancelled after the sale. Raises AmbiguousShowingError with the reason of *echo*, which is what
    was wrong with the first answer.
    """
    named = [showing for showing in showings if showing.showtime_id == showtime_id]
    possible = named or [showing for showing in showings if showing.credits_end > sold_at]
    if len(possible) == 1:
        return possible[0]
    raise AmbiguousShowingError(
        echo.reason, f"{echo.detail}; {len(possible)} showings are possible"
    )
